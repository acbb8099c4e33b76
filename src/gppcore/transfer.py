"""Transfer learning: pre-train on the process model, fine-tune on towers, predict with compiled forests.

A model is ``GPP = p + w g(p) [t(x, p) - p]``: `p` is the source forest, an emulator of process GPP; `t` the target
forest, fitted to towers on the predictors and `p`, in which it never falls; the weight `w` says how far the towers
are trusted. It is chosen by predicting clusters of towers that the target forest has not seen, so that few or
contradictory towers leave the process model nearly as it is. The gate ``g = p / (p + 0.25)`` keeps the zeros of the
process model, since no tower stands where nothing grows. A direct model has no source: ``GPP = t(x)``.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gppcore.errors import ForestFormatError, MissingFileError, OutputExistsError, ShapeError
from gppcore.features import PREDICTORS, Samples
from gppcore.forest import Forest

Float = NDArray[np.float64]
Columns = Sequence[NDArray[Any]]

GATE = 0.25
"""Process GPP at which half of a correction is taken, g m-2 d-1."""
SOURCE_SETTINGS = {"max_iter": 150, "learning_rate": 0.1, "max_leaf_nodes": 63, "min_samples_leaf": 40}
TARGET_SETTINGS = {
    "max_iter": 150,
    "learning_rate": 0.08,
    "max_leaf_nodes": 8,
    "min_samples_leaf": 30,
    "l2_regularization": 5.0,
    "max_features": 0.3,
}
_INNER_FOLDS = 3
_CARD = "model.json"
_FORESTS = ("source", "target")


@dataclass(frozen=True)
class TransferModel:
    """A model of GPP made of forests: predicts without scikit-learn, from Python, C and Fortran.

    Attributes
    ----------
    source : Forest or None
        Emulator of process GPP on `PREDICTORS`; None for a direct model.
    target : Forest or None
        GPP on `PREDICTORS` and the source's prediction (direct model: on `PREDICTORS` alone); None before
        fine-tuning.
    weight : float
        Trust in the target forest, 0 to 1.
    card : mapping
        Provenance: what it was trained on, seeds, settings.
    """

    source: Forest | None
    target: Forest | None
    weight: float
    card: Mapping[str, Any]

    def predict(self, x: NDArray[Any], *, n_threads: int = 1) -> NDArray[Any]:
        """Predict GPP of rows.

        Parameters
        ----------
        x : ndarray of float32 or float64, shape (rows, predictors)
            Predictors in the order of `gppcore.features.PREDICTORS`; NaN is missing.
        n_threads : int, default 1
            Threads; 0 means all cores. The result does not depend on it.

        Returns
        -------
        ndarray, shape (rows,)
            GPP [g m-2 d-1], not below 0, in the number type of `x`.
        """
        return self.predict_columns(list(np.ascontiguousarray(x.T)), n_threads=n_threads)

    def predict_columns(self, columns: Columns, *, n_threads: int = 1) -> NDArray[Any]:
        """Predict GPP from one array per predictor, as :meth:`predict` does from rows.

        Columns may have shape (steps, n), beside static ones of shape (n,); then GPP has shape (steps, n).
        """
        if len(columns) != len(PREDICTORS):
            raise ShapeError(f"columns: expected {len(PREDICTORS)} predictors, got {len(columns)}")
        if self.source is None:
            assert self.target is not None
            return _not_negative(self.target.predict_columns(columns, n_threads=n_threads))
        p = self.predict_source(columns, n_threads=n_threads)
        if self.target is None or self.weight == 0.0:
            return p
        gpp = self.target.predict_columns([*columns, p], n_threads=n_threads)
        gpp -= p
        gpp *= _gate(p) * p.dtype.type(self.weight)
        gpp += p
        return _not_negative(gpp)

    def predict_source(self, columns: Columns, *, n_threads: int = 1) -> NDArray[Any]:
        """Predict process GPP [g m-2 d-1], not below 0, with the source forest alone."""
        if self.source is None:
            raise ShapeError("predict_source: expected a model with a source forest, got a direct model")
        return _not_negative(self.source.predict_columns(columns, n_threads=n_threads))

    @property
    def digest(self) -> str:
        """Sixteen hexadecimal digits of the predictions for fixed rows, which tell models apart."""
        rng, shape = np.random.default_rng(0), (2048, len(PREDICTORS))
        rows = rng.normal(size=shape) * 10.0 ** rng.uniform(-1.0, 3.0, shape)  # of every magnitude
        return hashlib.sha256(self.predict(rows).tobytes()).hexdigest()[:16]

    def save(self, folder: str | Path) -> None:
        """Save to a new folder: one .gppf file per forest and the model card model.json, written last.

        Raises
        ------
        OutputExistsError
            If the folder holds a model already.
        """
        folder = Path(folder)
        if (folder / _CARD).exists():
            raise OutputExistsError(f"{folder}: expected a folder without a model, got one that has {_CARD}")
        folder.mkdir(parents=True, exist_ok=True)
        for name in _FORESTS:
            if (forest := getattr(self, name)) is not None:
                forest.save(folder / f"{name}.gppf")
        held = [name for name in _FORESTS if getattr(self, name) is not None]
        card = {"predictors": PREDICTORS, "forests": held, "weight": self.weight, "gate": GATE, **self.card}
        temporary = folder / f"{_CARD}.part"
        temporary.write_text(json.dumps(card, indent=2) + "\n")
        temporary.replace(folder / _CARD)

    @classmethod
    def load(cls, folder: str | Path) -> TransferModel:
        """Load a model that :meth:`save` wrote.

        Raises
        ------
        MissingFileError
            If there is no model in the folder.
        ForestFormatError
            If the card is damaged or made for other predictors, or a forest is missing or corrupt.
        """
        folder = Path(folder)
        if not (folder / _CARD).is_file():
            raise MissingFileError(f"model: expected a folder with {_CARD}, got {folder}")
        try:
            card = json.loads((folder / _CARD).read_text())
            predictors, held, weight, gate = (card.pop(k) for k in ("predictors", "forests", "weight", "gate"))
        except (ValueError, KeyError) as error:
            raise ForestFormatError(f"{folder / _CARD}: expected a model card, got {error!r}") from error
        if tuple(predictors) != PREDICTORS:
            raise ForestFormatError(f"{folder / _CARD}: expected predictors {list(PREDICTORS)}, got {predictors}")
        if gate != GATE:
            raise ForestFormatError(f"{folder / _CARD}: expected gate {GATE}, got {gate}")
        source, target = (Forest.load(folder / f"{name}.gppf") if name in held else None for name in _FORESTS)
        return cls(source, target, weight, card)


def pretrain(x: NDArray[Any], gpp_daily: NDArray[Any], *, seed: int = 0, n_threads: int = 1) -> TransferModel:
    """Train the source forest on process GPP.

    Parameters
    ----------
    x : ndarray, shape (rows, predictors)
        Predictors of the source domain, in the order of `PREDICTORS`.
    gpp_daily : ndarray, shape (rows,)
        Downscaled process GPP [g m-2 d-1].
    seed : int, default 0
        Seed of the learner.
    n_threads : int, default 1
        Threads of the learner.
    """
    learner = _fit(_learner(SOURCE_SETTINGS, seed, PREDICTORS, ()), x, gpp_daily, n_threads)
    card = {"pretrain": {"rows": len(gpp_daily), "seed": seed, **SOURCE_SETTINGS}}
    return TransferModel(Forest.from_sklearn(learner), None, 0.0, card)


def fine_tune(model: TransferModel, towers: Samples, *, seed: int = 0) -> TransferModel:
    """Fit the target forest and its weight to towers.

    Parameters
    ----------
    model : TransferModel
        Pre-trained model.
    towers : Samples
        Tower months; clusters of towers are kept together.
    seed : int, default 0
        Seed of the learner.

    Returns
    -------
    TransferModel
        The same source forest, with a target forest.
    """
    p = model.predict_source(list(towers.x.T))
    x = np.column_stack([towers.x, p])
    held_out, fold = p.copy(), _folds(towers.groups["cluster"].to_numpy())
    for k in range(_INNER_FOLDS):
        train, test = fold != k, fold == k
        if train.any() and test.any():
            held_out[test] = _fit_target(x[train], towers.gpp_daily[train], seed).predict(x[test])
    correction, wanted = _gate(p) * (held_out - p), towers.gpp_daily - p
    weight = float(np.clip(correction @ wanted / max(correction @ correction, 1e-12), 0.0, 1.0))
    card = {"rows": len(towers), "clusters": int(towers.groups["cluster"].nunique()), "seed": seed, **TARGET_SETTINGS}
    forest = Forest.from_sklearn(_fit_target(x, towers.gpp_daily, seed))
    return TransferModel(model.source, forest, weight, {**model.card, "fine_tune": card})


def direct(towers: Samples, *, seed: int = 0) -> TransferModel:
    """Fit a model to towers alone: what transfer has to beat."""
    learner = _fit_target(towers.x, towers.gpp_daily, seed)
    card = {"direct": {"rows": len(towers), "seed": seed, **TARGET_SETTINGS}}
    return TransferModel(None, Forest.from_sklearn(learner), 1.0, card)


def _gate(p: NDArray[Any]) -> NDArray[Any]:
    gate: NDArray[Any] = p / (p + p.dtype.type(GATE))
    return gate


def _not_negative(gpp: NDArray[Any]) -> NDArray[Any]:
    np.maximum(gpp, 0.0, out=gpp)
    return gpp


def _fit_target(x: Float, gpp_daily: Float, seed: int) -> Any:
    """Fit GPP to the predictors, followed by process GPP or not."""
    names = (*PREDICTORS, "process")[: x.shape[1]]
    # One thread: a team gains nothing in a small fit and waits for busy cores.
    return _fit(_learner(TARGET_SETTINGS, seed, names, ("lai", "process")), x, gpp_daily, 1)


def _fit(learner: Any, x: NDArray[Any], gpp_daily: NDArray[Any], n_threads: int) -> Any:
    from threadpoolctl import threadpool_limits

    # The limit holds for libraries that are loaded already; the learner is there, so its library is.
    with threadpool_limits(n_threads, "openmp"):
        return learner.fit(x, gpp_daily)


def _folds(cluster: NDArray[Any]) -> NDArray[np.int64]:
    """Deal clusters to folds, largest first, always to the smallest fold."""
    names, size = np.unique(cluster, return_counts=True)
    load, of = np.zeros(_INNER_FOLDS, dtype=np.int64), {}
    for i in np.argsort(-size, kind="stable"):
        of[names[i]] = int(load.argmin())
        load[of[names[i]]] += size[i]
    return np.array([of[c] for c in cluster])


def _learner(settings: Mapping[str, Any], seed: int, names: Sequence[str], increasing: Sequence[str]) -> Any:
    from sklearn.ensemble import HistGradientBoostingRegressor

    signs = [1 if name in increasing else 0 for name in names]
    return HistGradientBoostingRegressor(**settings, early_stopping=False, random_state=seed, monotonic_cst=signs)
