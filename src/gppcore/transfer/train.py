"""Transfer learning: pre-train on the process model, fine-tune on towers, predict with compiled forests.

A model is ``GPP = p + g(p) (t - p)`` with ``t = w_0 p + sum_j w_j v_j(x, s)``. The sources s are forests that emulate
the process model: its GPP p first, then other quantities that it computes. The members v are forests fitted to towers
(`gppcore.transfer.members`). The weights w are fitted to predictions for clusters of towers left
out of training, and shrunk towards the process model where towers are few. The gate ``g = p / (p + 0.25)`` keeps the
zeros of the process model, since no tower stands where nothing grows. A direct model has no source: ``GPP = t``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gppcore.arrays import check_type
from gppcore.errors import RangeError, ShapeError
from gppcore.features import PREDICTORS, Samples
from gppcore.forest import Forest
from gppcore.process.parameters import CalibratedParameters
from gppcore.runtime import threads
from gppcore.statistics import FOLDS, assign_folds
from gppcore.transfer.error_covariance import calendar, fit_errors
from gppcore.transfer.gaussian import Axes, main_types, spread_of_types
from gppcore.transfer.intervals import fit_interval
from gppcore.transfer.members import (
    MEMBERS,
    N_TREES_JUDGED,
    SOURCE_SETTINGS,
    UNSEEN,
    Fits,
    Learner,
    TrainingRows,
    Unseen,
    applicability,
    distilled,
    fit_error_size,
    fit_gaussian,
    fit_member,
    fit_source,
    member,
    predict_member,
    spread,
)
from gppcore.transfer.recipe import Interval
from gppcore.transfer.transfer_model import TransferModel, gated
from gppcore.transfer.weights import expected_weights, stack
from gppcore.transfer.width import with_width
from gppcore.variables import check_ranges

Float = NDArray[np.float64]

TRANSFER_MEMBERS = (
    *("boosted", "boosted_ratio", "trees", "trees_ratio"),
    *("gaussian", "direct_boosted", "direct_trees"),
)
_GAUSSIAN = "gaussian"
_DOMAIN_ROWS = 20_000
DIRECT_MEMBERS = ("direct_boosted", "direct_trees")


def pretrain(
    x: NDArray[Any],
    physics: Mapping[str, NDArray[Any]],
    *,
    predictors: Sequence[str] = PREDICTORS,
    seed: int = 0,
    check: str = "raise",
    n_threads: int | None = None,
) -> TransferModel:
    """Train emulators of the process model.

    Parameters
    ----------
    x : ndarray, shape (rows, predictors)
        Predictors of the source domain.
    physics : mapping of str to ndarray, shape (rows,)
        Quantities of the process model, `process` (its GPP [g m-2 d-1], downscaled if it is coarser) first; see
        `gppcore.towers.process.PHYSICS` and `gppcore.transfer.source_domain.source_rows`.
    predictors : sequence of str, default `PREDICTORS`
        Names of the columns of `x`.
    seed : int, default 0
        Seed of the learner.
    check : {"raise", "warn", "ignore"}
        What to do with predictors outside their valid range, which are often in another unit.
    n_threads : int, optional
        Threads of the learner; all usable cores by default.

    Returns
    -------
    TransferModel
        The process model as forests, before fine-tuning.

    Raises
    ------
    RangeError
        If `process` is not the first quantity, or values lie outside their valid range.
    ShapeError
        If the columns and their names differ in number.
    UnitsError
        If values look like another unit.

    Examples
    --------
    >>> from gppcore import pretrain
    >>> from gppcore.demo.towers import demonstration_towers
    >>> from gppcore.evaluation.metrics import skill
    >>> from gppcore.transfer.source_domain import source_rows
    >>> predictors = ("tair", "vpd", "sw", "soil_water", "lai")
    >>> rows = source_rows(demonstration_towers(45, 48, 5, 12).forcing, predictors, n_rows=800)
    >>> model = pretrain(rows.x, {"process": rows.physics["process"]}, predictors=predictors)
    >>> skill(rows.physics["process"], model.predict(rows.x))["r2"] > 0.95
    True
    """
    n_threads = threads(n_threads)
    check_type("physics", physics, Mapping, "{'process': gpp}")
    if next(iter(physics), None) != "process":
        raise RangeError(f"physics: expected process GPP as its first quantity, `process`, got {list(physics)}")
    _check_rows(x, predictors)
    check_ranges(dict(zip(predictors, x.T, strict=True)), check, where="x")
    for name, values in physics.items():
        if np.shape(values) != (len(x),):
            raise ShapeError(f"{name}: expected shape ({len(x)},), got {np.shape(values)}")
    sources = {name: fit_source(x, y, seed=seed, n_threads=n_threads) for name, y in physics.items()}
    card = {"pretrain": {"rows": len(x), "seed": seed, **SOURCE_SETTINGS}}
    drawn = np.sort(np.random.default_rng([seed, 29]).permutation(len(x))[:_DOMAIN_ROWS])
    return TransferModel(tuple(predictors), sources, (), {}, 1.0, card, domain=np.array(x[drawn], dtype=np.float64))


def with_process(
    model: TransferModel,
    x: NDArray[Any],
    process: NDArray[Any],
    *,
    parameters: CalibratedParameters | None = None,
    seed: int = 0,
    n_threads: int | None = None,
) -> TransferModel:
    """Return a pre-trained model with another emulator of process GPP, for instance with calibrated parameters.

    Parameters as of :func:`pretrain`; `process` is the process GPP of the rows `x` [g m-2 d-1], and `parameters`, which
    the model card keeps, are those that gave it.
    """
    n_threads = threads(n_threads)
    _check_rows(x, model.predictors)
    emulator = fit_source(x, process, seed=seed, n_threads=n_threads)
    card = model.card if parameters is None else {**model.card, "parameters": parameters.to_json()}
    return replace(model, sources={**model.sources, "process": emulator}, card=card)


def _check_rows(x: NDArray[Any], predictors: Sequence[str]) -> None:
    if x.ndim != 2 or x.shape[1] != len(predictors):
        raise ShapeError(f"x: expected shape (rows, {len(predictors)}), got {x.shape}")


def _check_samples(samples: Samples, check: str) -> None:
    check_ranges(dict(zip(samples.predictors, samples.x.T, strict=True)), check, where="samples")


def fine_tune(
    model: TransferModel,
    samples: Samples,
    *,
    unseen: Unseen = "places",
    process: NDArray[Any] | None = None,
    members: Sequence[str] = TRANSFER_MEMBERS,
    learner: Learner = "sklearn",
    fits: Fits | None = None,
    seed: int = 0,
    check: str = "raise",
    n_threads: int | None = None,
) -> TransferModel:
    """Fit members and their weights to towers.

    Parameters
    ----------
    model : TransferModel
        Pre-trained model.
    samples : Samples
        Tower months with the predictors of `model`; clusters of towers are kept together.
    unseen : {"places", "years"}, default "places"
        What is to be predicted: places without a tower (weights are fitted to clusters left out) or other years of
        these towers (weights are fitted to years left out).
    process : ndarray, shape (rows of samples,), optional
        Process GPP of the tower months [g m-2 d-1] as it is at places without a tower. Required if the process model
        was calibrated to these towers, which it would then overfit; see :func:`gppcore.cross_fitted_gpp`. By default
        the GPP of the model's emulator.
    members : sequence of str, default `TRANSFER_MEMBERS`
        Names out of `gppcore.transfer.members.MEMBERS`; each is usable alone.
    learner : {"sklearn", "lightgbm"}, default "sklearn"
        Learner of the boosted members; LightGBM is an extra.
    fits : Fits, optional
        Keeps the forests that do not use the process model; given to :func:`direct` too, those are fitted once.
    seed : int, default 0
        Seed of the learners.
    check : {"raise", "warn", "ignore"}
        What to do with predictors outside their valid range, which are often in another unit.
    n_threads : int, optional
        Threads of the learners, all usable cores by default; the result does not depend on it.

    Returns
    -------
    TransferModel
        The same sources, with members and a prediction interval.

    Raises
    ------
    RangeError
        If an option is unknown, or predictors lie outside their valid range.
    UnitsError
        If predictors look like another unit.
    ShapeError
        If the predictors of model and towers differ, `process` has another number of rows, or the model was not
        pre-trained.

    Examples
    --------
    >>> from gppcore import fine_tune, pretrain, simulate
    >>> from gppcore.demo.towers import demonstration_towers
    >>> from gppcore.transfer.source_domain import source_rows
    >>> towers = demonstration_towers(45, 48, 5, 12)
    >>> predictors = ("tair", "vpd", "sw", "soil_water", "lai")
    >>> rows = source_rows(towers.forcing, predictors, n_rows=800)
    >>> source = pretrain(rows.x, {"process": rows.physics["process"]}, predictors=predictors)
    >>> samples = towers.samples(simulate(towers.forcing), predictors=predictors)
    >>> model = fine_tune(source, samples, members=("gaussian",))
    >>> [member.name for member in model.members][0], model.has_interval
    ('gaussian', True)
    """
    n_threads = threads(n_threads)
    check_type("samples", samples, Samples, "towers.samples(simulate(towers.forcing))")
    if samples.predictors != model.predictors:
        raise ShapeError(f"samples: expected predictors {list(model.predictors)}, got {list(samples.predictors)}")
    if not model.sources:
        raise ShapeError("model: expected emulators of the process model, which `pretrain` makes, got none")
    if process is not None and np.shape(process) != (len(samples),):
        raise ShapeError(f"process: expected shape ({len(samples)},), got {np.shape(process)}")
    _check_samples(samples, check)
    return _tune(model, samples, unseen, process, tuple(members), learner, fits or Fits(), seed, n_threads)


def direct(
    samples: Samples,
    *,
    unseen: Unseen = "places",
    learner: Learner = "sklearn",
    fits: Fits | None = None,
    seed: int = 0,
    check: str = "raise",
    n_threads: int | None = None,
) -> TransferModel:
    """Fit a model to towers alone, the baseline for transfer. Parameters as for :func:`fine_tune`.

    Examples
    --------
    >>> from gppcore import direct, simulate
    >>> from gppcore.demo.towers import demonstration_towers
    >>> towers = demonstration_towers(45, 48, 5, 12)
    >>> samples = towers.samples(simulate(towers.forcing), predictors=["tair", "vpd", "sw", "lai"])
    >>> model = direct(samples)
    >>> model.predict(samples.x).shape, model.sources
    ((955,), {})
    """
    n_threads = threads(n_threads)
    check_type("samples", samples, Samples, "towers.samples(simulate(towers.forcing))")
    _check_samples(samples, check)
    nothing = TransferModel(samples.predictors, {}, (), {}, 0.0, {})
    return _tune(nothing, samples, unseen, None, DIRECT_MEMBERS, learner, fits or Fits(), seed, n_threads)


def pretrain_continue(model: TransferModel, samples: Samples, *, seed: int = 0) -> TransferModel:
    """Continue boosting from the emulator of process GPP: pre-training and fine-tuning taken literally.

    The published scheme has no weights: the boosted member is added to process GPP unscaled.
    """
    rows = _rows(model, samples)
    name = "continued"
    forests = {name: fit_member(name, rows, seed=seed)}
    return replace(model, members=(member(name, len(model.sources), 1.0),), forests=forests, process_weight=0.0)


def _tune(
    model: TransferModel,
    samples: Samples,
    unseen: Unseen,
    process: Float | None,
    names: tuple[str, ...],
    learner: Learner,
    fits: Fits,
    seed: int,
    n_threads: int,
) -> TransferModel:
    if unseen not in UNSEEN:
        raise RangeError(f"unseen: expected one of {list(UNSEEN)}, got {unseen!r}")
    rows = _rows(model, samples)
    if unseen == "years":  # the Gaussian process does not know the towers
        names = tuple(name for name in names if name != _GAUSSIAN) or names
    if process is not None:
        rows.sources[:, 0] = np.maximum(process, 0.0)
    cluster = samples.groups["cluster"].to_numpy()
    fit = partial(fits.fit, unseen=unseen, learner=learner, seed=seed, n_threads=n_threads)
    held_out, sd = _held_out(rows, samples, unseen, names, fit, seed)
    weights = expected_weights(
        len(names),
        len(np.unique(cluster)),
        process=bool(model.sources),
        unseen_places=unseen == "places",
        shares=[MEMBERS[name].share for name in names],
    )
    known = applicability(rows)
    card: dict[str, Any] = {
        "rows": len(samples),
        "clusters": len(np.unique(cluster)),
        "unseen": unseen,
        "seed": seed,
        "learner": learner,
        "axes": Axes.of(samples.x, samples.predictors).to_card(),
        **({} if known is None else {"applicability": known.to_card()}),
    }
    errors = _Errors()
    if held_out is not None:
        candidates = np.column_stack([held_out, rows.process])
        weights = stack(samples.gpp_daily, candidates, cluster, weights)
        errors = _errors(rows, samples, candidates, weights, sd, unseen, seed)
        card |= errors.card
    elif model.sources:
        return replace(model, card={**model.card, "fine_tune": card})
    members = tuple(
        member(name, len(model.sources), float(weight))
        for name, weight in zip(names, weights[:-1], strict=True)
        if weight
    )
    widened = _GAUSSIAN in names and len(names) > 1
    forests = {m.name: fit(m.name, rows) for m in members if not (widened and m.name == _GAUSSIAN)}
    process_weight, of_sd = float(weights[-1]), errors.size
    if widened:
        mean, of_sd = distilled(rows, fit_gaussian(rows, seed=seed), seed, errors.wider)
        if any(m.name == _GAUSSIAN for m in members):
            forests[_GAUSSIAN] = mean
    if of_sd is not None:
        members, forests, process_weight = with_width(members, forests, process_weight, of_sd, len(model.sources))
    return replace(
        model,
        members=members,
        forests=forests,
        process_weight=process_weight,
        card={**model.card, "fine_tune": card},
        interval=errors.interval,
    )


@dataclass(frozen=True)
class _Errors:
    """Errors of the mixture at rows that were held out.

    Attributes
    ----------
    interval : Interval or None
        The 90 % interval that holds them.
    wider : mapping of int to float
        Factor on the standard deviation of the Gaussian process by the number of the type.
    size : Forest or None
        Size of the errors [g m-2 d-1], if other years are to be predicted.
    card : mapping
        What the card of the model tells of them.
    """

    interval: Interval | None = None
    wider: Mapping[int, float] = field(default_factory=dict)
    size: Forest | None = None
    card: Mapping[str, Any] = field(default_factory=dict)


def _errors(
    rows: TrainingRows, samples: Samples, candidates: Float, weights: Float, sd: Float, unseen: Unseen, seed: int
) -> _Errors:
    """Fit the interval to predictions of rows that were held out, and what widens it."""
    cluster, observed = samples.groups["cluster"].to_numpy(), samples.gpp_daily
    has_process, wider, size = rows.emulator is not None, {}, None
    if weights.size == 2:
        sd = np.zeros_like(sd)  # one member alone has no spread
    gpp, of_members = _mixed(candidates, weights, sd, has_process)
    if unseen == "years" and weights.size > 2:
        fold = assign_folds(samples.groups["year"].to_numpy(), FOLDS)
        sd, size = fit_error_size(rows, observed - gpp, fold, seed)
        gpp, of_members = _mixed(candidates, weights, sd, has_process)
    interval, relative = fit_interval(observed - gpp, of_members, gpp, cluster)
    if sd.any() and size is None:  # again, with types whose towers err more
        main = main_types(samples.x, samples.predictors)
        wider = _wider((observed - gpp) / interval.half_width(of_members, gpp), main, cluster)
        sd = sd * np.array([wider[int(name)] for name in main])
        gpp, of_members = _mixed(candidates, weights, sd, has_process)
        interval, relative = fit_interval(observed - gpp, of_members, gpp, cluster)
    card: dict[str, Any] = {"half_widths": [[level, width] for level, width in relative.items()]}
    if {"lat", "lon"} <= set(samples.groups):
        card["errors"] = _covariance(samples, gpp, interval.half_width(of_members, gpp), unseen)
    return _Errors(interval, wider, size, card)


def _wider(relative: Float, main: NDArray[np.int64], cluster: NDArray[np.generic]) -> dict[int, float]:
    """Return the factor by which intervals of a type are too narrow, at least 1, from errors over half widths."""
    ratio = spread_of_types(relative, main, cluster)
    return {name: float(np.sqrt(max(each, 1.0))) for name, each in ratio.items()}


def _mixed(candidates: Float, weights: Float, sd: Float, has_process: bool) -> tuple[Float, Float]:
    """Return GPP of the held-out mixture and the spread of its members, combined as in :class:`TransferModel`."""
    mixed = candidates @ weights
    of_members = np.sqrt((candidates - mixed[:, None]) ** 2 @ weights + sd**2)
    if has_process:
        mixed = gated(candidates[:, -1], mixed)
    return np.maximum(mixed, 0.0), of_members


def _covariance(samples: Samples, gpp: Float, half_width: Float, unseen: Unseen) -> dict[str, float]:
    """Return the covariance of the errors of held-out rows for the card of the model."""
    groups = samples.groups
    lat, lon = (groups[name].to_numpy(float) for name in ("lat", "lon"))
    site, cluster = groups["site"].to_numpy(), groups["cluster"].to_numpy()
    fold = np.zeros(len(samples), dtype=np.int64) if unseen == "years" else assign_folds(cluster, FOLDS)
    month = calendar(groups["year"].to_numpy(), groups["month"].to_numpy())
    return fit_errors((samples.gpp_daily - gpp) / half_width, lat, lon, month, site, fold).to_card()


def _rows(model: TransferModel, samples: Samples) -> TrainingRows:
    columns = model.predict_sources(list(samples.x.T))
    sources = np.column_stack(list(columns.values())) if columns else np.empty((len(samples), 0))
    site, cluster = (samples.groups[name].to_numpy() for name in ("site", "cluster"))
    emulator = model.sources.get("process")
    return TrainingRows(
        samples.x, samples.predictors, sources, samples.gpp_daily, emulator, site, cluster, model.domain
    )


def _held_out(
    rows: TrainingRows,
    samples: Samples,
    unseen: Unseen,
    names: Sequence[str],
    fit: Callable[..., Forest],
    seed: int,
) -> tuple[Float | None, Float]:
    """Predict rows left out of training.

    Returns
    -------
    gpp : ndarray, shape (rows, members), or None
        GPP of every member; None with one group.
    sd : ndarray, shape (rows,)
        Standard deviation of the Gaussian process; 0 without one.
    """
    group = samples.groups["cluster" if unseen == "places" else "year"].to_numpy()
    fold, sd, found = assign_folds(group, FOLDS), np.zeros(len(rows.x)), np.empty((len(rows.x), len(names)))
    if not fold.any():
        return None, sd
    for k in range(fold.max() + 1):
        here = fold == k
        train, test = rows.take(~here), rows.take(here)
        for j, name in enumerate(names):
            if name == _GAUSSIAN:
                # Not distilled here: its forest differs little from it.
                residuals = fit_gaussian(train, seed=seed)
                found[here, j] = test.process + residuals.predict(test.x, test.process)
                sd[here] = spread(train, residuals, test.x, test.process)
                continue
            found[here, j] = predict_member(fit(name, train, n_trees=N_TREES_JUDGED), name, test)
    return found, sd
