"""The transfer model: forests and the recipe that combines them; prediction needs no learner."""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from gppcore.arrays import check_type, floats, is_dataset
from gppcore.display import html_table
from gppcore.errors import (
    ForestFormatError,
    MissingFileError,
    OutputExistsError,
    RangeError,
    ShapeError,
    disk_errors,
)
from gppcore.features import PREDICTORS
from gppcore.forest import Forest
from gppcore.forest.checks import check_names, row_columns
from gppcore.io.durable import write_json
from gppcore.io.reading import JSON_LIMIT, check_depth, read_json
from gppcore.process.parameters import CalibratedParameters
from gppcore.transfer.applicability import Applicability
from gppcore.transfer.archive import CARD, pack, unpacked
from gppcore.transfer.error_covariance import ErrorCovariance
from gppcore.transfer.gaussian import Axes
from gppcore.transfer.model import Model
from gppcore.transfer.recipe import Interval, Member, Recipe, quantities_of
from gppcore.variables import VARIABLES, attributes, check_ranges, check_unit

if TYPE_CHECKING:
    import xarray as xr

Columns = Sequence[NDArray[Any]]

GATE = 0.25
"""Process GPP at which half of a correction is applied [g m-2 d-1]."""
_FORMAT = "gppcore transfer model 2"


@dataclass(frozen=True, eq=False)
class TransferModel:
    """A model of GPP made of forests: predicts without scikit-learn, from Python, C and Fortran.

    Attributes
    ----------
    predictors : tuple of str
        Names of its inputs, in order.
    sources : mapping of str to Forest
        Emulators of the process model on the predictors, `process` first; none in a direct model.
    members : tuple of Member
        Forests fitted to towers, and their weights; none before fine-tuning.
    forests : mapping of str to Forest
        Forests of the members; their features are the predictors followed by the sources that the member uses.
    process_weight : float
        Weight of process GPP in the mixture; the weights are non-negative and sum to 1.
    card : mapping
        Provenance: what it was trained on, seeds, settings.
    interval : Interval, optional
        Prediction interval, if one was fitted.
    domain : ndarray, shape (rows, predictors), optional
        Rows of the source domain, which fine-tuning distils the member `gaussian` on; not saved.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from gppcore import Forest, TransferModel
    >>> stump = {"feature": [0, -1, -1], "threshold": [2.5, 0, 0], "left": [1, 0, 0], "right": [2, 0, 0]}
    >>> forest = Forest.from_arrays(n_features=2, tree_begin=[0, 3], value=[0.0, 3.0, 9.0], **stump)
    >>> model = TransferModel.of_forest(forest, ["lai", "tair"])
    >>> model.predict(pd.DataFrame({"tair": [9.0, 18.0, 20.0], "lai": [1.0, 4.0, np.nan]}))
    array([3., 9., 9.])
    >>> model.save("model.zip")
    >>> TransferModel.load("model.zip") == model
    True
    """

    predictors: tuple[str, ...]
    sources: Mapping[str, Forest]
    members: tuple[Member, ...]
    forests: Mapping[str, Forest]
    process_weight: float
    card: Mapping[str, Any]
    interval: Interval | None = None
    domain: NDArray[np.float64] | None = field(default=None, repr=False)

    @classmethod
    def of_forest(cls, forest: Forest, predictors: Sequence[str] = PREDICTORS) -> TransferModel:
        """Return a model of one forest of GPP [g m-2 d-1], to map with forests trained elsewhere."""
        check_type("forest", forest, Forest, "Forest.load(path)")
        if isinstance(predictors, str) or len(predictors) != forest.n_features:
            got = predictors if isinstance(predictors, str) else len(predictors)
            raise ShapeError(f"predictors: expected {forest.n_features} names, one for each feature, got {got}")
        own = forest.feature_names
        if sorted(own) == sorted(predictors) and own != tuple(predictors):
            raise ShapeError(f"predictors: expected the order of the forest, {own}, got {predictors}")
        member = Member("forest", "gpp", 0, 1.0)
        return cls(tuple(predictors), {}, (member,), {member.name: forest}, 0.0, {})

    @property
    def parameters(self) -> CalibratedParameters | None:
        """Parameters of the process model that the model was pre-trained on; None if the card has none."""
        content = self.card.get("parameters")
        return None if content is None else CalibratedParameters.from_json(content)

    @property
    def applicability(self) -> Applicability | None:
        """Places of the towers that the model learnt from; None if its card has none."""
        known = self.card.get("fine_tune", {})
        if "applicability" not in known:
            return None
        return Applicability.from_card(Axes.from_card(known["axes"]), known["applicability"])

    @property
    def errors(self) -> ErrorCovariance | None:
        """How errors of places and months are alike, for intervals of totals; None if its card does not tell.

        An adapted model does not: its intervals are those of its towers.
        """
        known = self.card.get("fine_tune", {}).get("errors")
        return None if known is None or "adapt" in self.card else ErrorCovariance.from_card(known)

    @property
    def has_interval(self) -> bool:
        """Whether the model gives bounds with `interval=True`."""
        return self.interval is not None

    def predict(self, x: Any, *, interval: bool = False, check: str = "raise", n_threads: int = 1) -> Any:
        """Predict GPP of rows, of a table or of a dataset.

        Parameters
        ----------
        x : array_like, shape (rows, predictors), pandas.DataFrame or xarray.Dataset
            Predictors in the units of `gppcore.variables`; NaN, or masked, is a missing value. The columns of a
            DataFrame and the variables of a Dataset are taken by name, in any order; an array goes by position, in the
            order of `predictors`. A Dataset may have any dimensions and be lazy (dask).
        interval : bool, default False
            Return the bounds of the 90 % prediction interval too.
        check : {"raise", "warn", "ignore"}
            What to do with values outside the valid range of their predictor, which are often in another unit.
        n_threads : int, default 1
            Threads; 0 means all usable cores. The result does not depend on it.

        Returns
        -------
        ndarray, shape (rows,), or xarray.DataArray for a Dataset
            GPP [g m-2 d-1], not below 0, NaN where all predictors are missing; float32 where all predictors are, else
            float64. With `interval` three of them: GPP, low and high; 90 % of towers at unseen places lie between.

        Raises
        ------
        ShapeError
            If predictors are missing or unknown, all of which the message lists, or an array has another shape.
        DtypeError
            If `x` does not hold numbers.
        UnitsError
            If a variable of a Dataset states another unit than that of its name, or values look like another unit.
        RangeError
            If values lie outside their valid range, or an interval is asked for that the model does not have.
        """
        if is_dataset(x):
            return self._predict_dataset(x, interval, check, n_threads)
        columns = row_columns(x, len(self.predictors), self.predictors)
        check_ranges(dict(zip(self.predictors, columns, strict=True)), check, where="x")
        return self.predict_columns(columns, interval=interval, n_threads=n_threads)

    def predict_columns(self, columns: Columns, *, interval: bool = False, n_threads: int = 1) -> Any:
        """Predict GPP from one array per predictor, as :meth:`predict` does from rows.

        Columns may have shape (steps, n), beside static ones of shape (n,); then GPP has shape (steps, n).
        """
        if interval and not self.has_interval:
            raise RangeError("interval: expected a model that fine_tune gave prediction intervals, got one without")
        return self._model.predict_columns(columns, n_threads=n_threads, interval=interval)

    def _predict_dataset(self, ds: xr.Dataset, interval: bool, check: str, n_threads: int) -> Any:
        import xarray as xr

        check_names("x", [str(name) for name in ds.data_vars], self.predictors)
        for name in self.predictors:
            if name in VARIABLES:
                check_unit(name, ds[name].attrs.get("units"), where="x")

        def predict(*fields: NDArray[Any]) -> Any:
            dtype = np.float32 if all(field.dtype == np.float32 for field in fields) else np.float64
            whole = np.broadcast_arrays(*fields)
            columns = [floats("x", field).astype(dtype, copy=False).reshape(-1) for field in whole]
            check_ranges(dict(zip(self.predictors, columns, strict=True)), check, where="x")
            found = self.predict_columns(columns, interval=interval, n_threads=n_threads)
            parts = tuple(part.reshape(whole[0].shape) for part in (found if interval else (found,)))
            return parts if interval else parts[0]

        names = ("gpp_daily", "gpp_daily_low", "gpp_daily_high")[: 3 if interval else 1]
        dtype = np.float32 if all(ds[name].dtype == np.float32 for name in self.predictors) else np.float64
        found = xr.apply_ufunc(
            predict,
            *(ds[name] for name in self.predictors),
            output_core_dims=[[]] * len(names),
            dask="parallelized",
            output_dtypes=[dtype] * len(names),
        )
        parts = found if interval else (found,)
        named = tuple(part.rename(n).assign_attrs(attributes(n)) for n, part in zip(names, parts, strict=True))
        return named if interval else named[0]

    def predict_sources(self, columns: Columns, *, n_threads: int = 1) -> dict[str, NDArray[Any]]:
        """Predict the quantities of the process model with its emulators: by name, not below 0."""
        if len(columns) != len(self.predictors):
            raise ShapeError(f"columns: expected {len(self.predictors)} predictors, got {len(columns)}")
        return {
            name: _not_negative(forest.predict_columns(columns, n_threads=n_threads))
            for name, forest in self.sources.items()
        }

    @cached_property
    def recipe(self) -> Recipe:
        """How the compiled core joins the forests."""
        quantities = quantities_of(self.predictors)
        return Recipe(
            self.predictors, tuple(self.sources), self.members, self.process_weight, GATE, self.interval, quantities
        )

    @cached_property
    def _model(self) -> Model:
        return Model(self.recipe, list(self.sources.values()), [self.forests[m.name] for m in self.members])

    @cached_property
    def digest(self) -> str:
        """Sixteen hexadecimal digits of the content: recipe and forests. Models with other digests differ."""
        forests = [*self.sources.values(), *(self.forests[m.name] for m in self.members)]
        content = [repr(self.recipe), *(forest.digest for forest in forests)]
        return hashlib.sha256("\n".join(content).encode()).hexdigest()[:16]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TransferModel) and (self is other or self.digest == other.digest)

    def __hash__(self) -> int:
        return hash(self.digest)

    def __getstate__(self) -> dict[str, Any]:
        # The compiled model is built again on first use.
        return {each.name: getattr(self, each.name) for each in fields(self)}

    def _repr_html_(self) -> str:
        rows = {
            "predictors": ", ".join(self.predictors),
            "sources": ", ".join(self.sources) or "none (direct model)",
            "members": ", ".join(f"{m.name} ({m.weight:.2f})" for m in self.members) or "none (not fine-tuned)",
            "process weight": f"{self.process_weight:.2f}",
            "interval": "90 %" if self.has_interval else "none",
            "digest": self.digest,
        }
        return html_table("TransferModel", rows)

    def save(self, path: str | Path) -> None:
        """Save to a new folder, or to one file if `path` ends with ``.zip``.

        Both hold one .gppf file per forest, the recipe model.gppm and the model card model.json. C and Fortran programs
        read the folder. The card of a folder is written last; a zip gets its name when it is complete.

        Raises
        ------
        OutputExistsError
            If the folder holds a model already, or the zip exists.
        DiskFullError
            If there is no room for the zip.
        """
        path = Path(path)
        if path.suffix.lower() != ".zip":
            self._save_folder(path)
            return
        if path.exists():
            raise OutputExistsError(f"model: expected a new zip, got {path}, which exists")
        with TemporaryDirectory(prefix="gppcore-") as folder:
            self._save_folder(Path(folder))
            path.parent.mkdir(parents=True, exist_ok=True)
            pack(Path(folder), path)

    def _save_folder(self, folder: Path) -> None:
        if (folder / CARD).exists():
            raise OutputExistsError(f"{folder}: expected a folder without a model, got one that has {CARD}")
        _check_card(self.card)
        with disk_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
        self._model.save(folder)
        write_json(folder / CARD, _card(self.recipe, self.card))

    @classmethod
    def load(cls, path: str | Path) -> TransferModel:
        """Load a folder or a zip that :meth:`save` wrote.

        Raises
        ------
        MissingFileError
            If there is no model under the path.
        ForestFormatError
            If the zip or the card is damaged, or a forest is missing or corrupt.
        DiskFullError
            If there is no room to unpack the zip, in the folder for temporary files.
        """
        path = Path(path)
        if not path.is_file():
            return cls._load_folder(path)
        with unpacked(path) as folder:
            return cls._load_folder(folder)

    @classmethod
    def _load_folder(cls, folder: Path) -> TransferModel:
        if not (folder / CARD).is_file():
            raise MissingFileError(f"model: expected a folder with {CARD}, or its zip, got {folder}")
        card = read_json(folder / CARD, ForestFormatError)
        if not isinstance(card, dict) or card.get("format") != _FORMAT or not isinstance(card.get("card"), dict):
            got = card.get("format", sorted(card)) if isinstance(card, dict) else card
            raise ForestFormatError(f"{folder / CARD}: expected a card of {_FORMAT}, got {str(got)[:100]!r}")
        provenance = card["card"]
        model = Model.load(folder)
        recipe = model.recipe
        if recipe.gate != GATE:
            raise ForestFormatError(f"{folder}: expected gate {GATE}, got {recipe.gate}")
        for name, own in zip(recipe.predictors, recipe.quantities, strict=False):  # none in files of version 1
            (known,) = quantities_of([name])
            if own.unit and known.unit and own.unit != known.unit:
                raise ForestFormatError(f"{folder}: {name}: expected a model for {known.unit}, got one for {own.unit}")
        whole = _card(recipe, provenance)
        if wrong := [key for key in {*whole, *card} - {"crc32"} if card.get(key) != whole.get(key)]:
            raise ForestFormatError(f"{folder / CARD}: expected a card of the model beside it, got another {wrong[0]}")
        if card.get("crc32") != whole["crc32"]:
            raise ForestFormatError(f"{folder / CARD}: expected the card as it was written, got another checksum")
        return cls(
            recipe.predictors,
            dict(zip(recipe.sources, model.sources, strict=True)),
            recipe.members,
            {m.name: forest for m, forest in zip(recipe.members, model.members, strict=True)},
            recipe.process_weight,
            provenance,
            recipe.interval,
        )


def _card(recipe: Recipe, provenance: Mapping[str, Any]) -> dict[str, Any]:
    """Return the model card as JSON holds it: recipe, provenance, and the checksum of the latter."""
    own = json.dumps(provenance, sort_keys=True)
    parts = {name: part for name, part in asdict(recipe).items() if name != "quantities"}  # the recipe's file has them
    content = {"format": _FORMAT, **parts, "card": provenance, "crc32": zlib.crc32(own.encode())}
    card: dict[str, Any] = json.loads(json.dumps(content))
    return card


def _check_card(provenance: Mapping[str, Any]) -> None:
    """Refuse a card that :meth:`TransferModel.load` would refuse."""
    try:
        size = len(json.dumps(provenance, indent=2, allow_nan=False))
        check_depth(provenance)
    except (TypeError, ValueError, RecursionError) as error:
        raise RangeError(f"card: expected text, finite numbers, lists and mappings for JSON, got: {error}") from None
    if size > JSON_LIMIT // 2:
        raise RangeError(f"card: expected at most {JSON_LIMIT // 2} bytes, got {size}; keep data in files of their own")


def gated(process: NDArray[Any], mixed: NDArray[Any]) -> NDArray[Any]:
    """Return process GPP plus the gated share of its correction to `mixed`."""
    return np.asarray(process + process / (process + process.dtype.type(GATE)) * (mixed - process))


def _not_negative(gpp: NDArray[Any]) -> NDArray[Any]:
    np.maximum(gpp, 0.0, out=gpp)
    return gpp
