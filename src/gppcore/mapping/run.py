"""Predict all cells of a tile store with a model: tile by tile, in threads or on a cluster, resumable."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from gppcore.arrays import check_type
from gppcore.errors import DtypeError, OutputExistsError, RangeError, disk_errors
from gppcore.features import PREDICTORS
from gppcore.features.place import PLACE
from gppcore.forest import Forest
from gppcore.io.mapped import whole_files
from gppcore.io.names import check_name
from gppcore.mapping.product import write_product
from gppcore.mapping.totals import BlockSums, totals
from gppcore.runtime import in_threads, threads
from gppcore.tiles.derive import derive_predictors
from gppcore.tiles.journal import Entry
from gppcore.tiles.store import TileStore
from gppcore.transfer.applicability import Applicability
from gppcore.transfer.transfer_model import TransferModel
from gppcore.variables import attributes, check_ranges

if TYPE_CHECKING:
    from distributed import Client

Progress = Callable[[int], None]
Columns = Sequence[NDArray[Any]]
Task = tuple[int, int | None]
"""A tile and the number of a year."""
_INDEX = "dissimilarity"
_RETRIES = 3


class Predictor(Protocol):
    """A model that maps: it predicts rows from one column per predictor and has a digest.

    Its attribute `predictors`, a tuple of names, names the columns; without it they are
    `gppcore.features.PREDICTORS`. With the attribute `has_interval` set it also predicts bounds; `errors` and
    `applicability` are those of :class:`gppcore.TransferModel`.
    """

    @property
    def digest(self) -> str:
        """Short text that differs between models."""

    def predict_columns(self, columns: Columns) -> NDArray[Any]:
        """Predict GPP [g m-2 d-1] from columns of shape (12, n), or (n,) if static: an array of shape (12, n).

        With `has_interval`, ``predict_columns(columns, interval=True)`` returns GPP and its 5 % and 95 % bounds.
        """


def map_gpp(
    model: Predictor | str | Path,
    store: TileStore,
    out: str | Path | None = None,
    *,
    variable: str = "gpp_daily",
    uncertainty: bool = True,
    attrs: Mapping[str, Any] | None = None,
    check: str = "raise",
    n_threads: int | None = None,
    client: Client | None = None,
    progress: Progress | None = None,
) -> None:
    """Predict GPP of every month at every cell of a store and write the gridded product.

    A model with prediction intervals (`has_interval`) also gives two more variables, whose names end with ``_low`` and
    ``_high``: the 5 % and 95 % quantiles of GPP; one that knows how its errors are alike (`errors`) gives the product
    totals with intervals, see :func:`gppcore.mapping.totals.totals`; and one that knows the places of its towers
    (`applicability`) gives the dissimilarity index of every cell, `dissimilarity`, with the threshold of the area of
    applicability as an attribute.

    Parameters
    ----------
    model : Predictor, str or Path
        Usually a :class:`gppcore.TransferModel`, or the folder or zip of a saved one.
    store : TileStore
        Holds the predictors of the model, or what they are derived from (lags and normals,
        `gppcore.features.place.PLACE`); the predictions are added to it as `variable`. Tiles that are finished already
        are kept, so that an interrupted run resumes.
    out : str or Path, optional
        New folder of the Zarr product; without it the predictions stay in the store.
    variable : str, default "gpp_daily"
        Name of the predictions, and begin of the names of their bounds.
    uncertainty : bool, default True
        Whether to write bounds, dissimilarity and intervals of totals where the model has them; without them the map
        takes a third of the disk.
    attrs : mapping, optional
        Global attributes of the product.
    check : {"raise", "warn", "ignore"}
        What to do with predictors outside their valid range, which are often in another unit.
    n_threads : int, optional
        Tiles predicted at the same time; all usable cores by default. The result does not depend on it.
    client : distributed.Client, optional
        Cluster that predicts the tiles in place of threads of this process. `model` then is a path, from which
        every worker loads it once; all workers must reach model and store under the same path. Tiles of workers
        that die go to others. The output is byte-identical to that of threads.
    progress : callable, optional
        Called with the number of cells of a tile after each tile and year.

    Raises
    ------
    OutputExistsError
        If `out` exists, or `variable` holds the predictions of another model.
    RangeError
        If `client` is given and `model` is not a path, or predictors lie outside their valid range.
    UnitsError
        If predictors look like another unit.
    StoreLockedError
        If the store has another writer.
    TileFormatError
        If a predictor is missing.
    DiskFullError
        If there is no room; finished tiles stay.

    Examples
    --------
    >>> import xarray as xr
    >>> from gppcore import Forest, TileRecipe, TransferModel, build_tiles, map_gpp
    >>> from gppcore.demo.region import demonstration_region
    >>> from gppcore.tiles.build import Cells
    >>> from gppcore.tiles.fields import VariableSource
    >>> demonstration_region(50.5, 51.5, 10, 11).to_netcdf("world.nc")
    >>> store = build_tiles(TileRecipe(Cells("world.nc", "igbp"), {"lai": VariableSource("world.nc", "lai")}), "tiles")
    >>> stump = {"feature": [0, -1, -1], "threshold": [2.5, 0, 0], "left": [1, 0, 0], "right": [2, 0, 0]}
    >>> forest = Forest.from_arrays(n_features=1, tree_begin=[0, 3], value=[0.0, 3.0, 9.0], **stump)
    >>> map_gpp(TransferModel.of_forest(forest, ["lai"]), store, "gpp.zarr")
    >>> product = xr.open_zarr("gpp.zarr")
    >>> product["gpp_daily"].dims, product["gpp_daily"].attrs["units"]
    (('time', 'lat', 'lon'), 'g m-2 d-1')
    """
    n_threads = threads(n_threads)
    if out is not None and Path(out).exists():
        raise OutputExistsError(f"product: expected a new folder, got {out}, which exists")
    if isinstance(model, Forest):
        raise DtypeError(
            "model: expected a TransferModel or its path, got a Forest; use TransferModel.of_forest(forest)"
        )
    check_type("store", store, TileStore, "TileStore.open(path)")
    path = Path(model) if isinstance(model, str | Path) else None
    if client is not None and path is None:
        raise RangeError("model: expected the path of a saved model, since workers load it, got a model in memory")
    predictor: Predictor = TransferModel.load(path) if path else model  # type: ignore[assignment]
    bounds = uncertainty and _has_interval(predictor)
    variables = _outputs(check_name("variable", variable), bounds)
    if lacking := set(_predictors(predictor)) & set(PLACE) - set(store.variables):
        derive_predictors(store, also=lacking)
    for name in _predictors(predictor):
        store.is_monthly(name)  # an error if the store has no such variable
    with store.writing():
        for name, described in variables.items():
            store.add(name, monthly=True, attrs={**described, "model": predictor.digest})
        index = _applicability(predictor, store) if uncertainty else None
        of_index = {} if index is None else {_index_name(variable): _index_attributes(index)}
        for name, described in of_index.items():
            store.add(name, monthly=False, attrs=described)
        tasks = []
        for year in store.each_year:
            for tile in range(store.n_tiles):
                origin = _origin(predictor, store, tile, year)
                done = all(store.has(name, tile, year, origin=origin) for name in variables)
                if index is not None and year == store.each_year[0]:
                    origin = _index_origin(index, store, tile)
                    done = done and store.has(_index_name(variable), tile, origin=origin)
                if not done:
                    tasks.append((tile, year))
                elif progress:
                    progress(store.n_cells(tile))
        names = tuple(variables)
        if client is not None and path is not None:
            finished = _on_cluster(client, path, predictor.digest, store, names, tasks, check, uncertainty)
        else:
            finished = _in_threads(predictor, store, names, tasks, n_threads, check, uncertainty)
        with closing(finished):
            for entries in finished:
                store.confirm(*entries)
                if progress:
                    progress(store.n_cells(entries[0].tile))
        # Under the same lock: no other job changes a tile before the product has its name.
        if out is not None:
            errors = getattr(predictor, "errors", None) if bounds else None
            found = None if errors is None else totals(BlockSums.of_store(store, variable), errors)
            write_product(store, Path(out), {**variables, **of_index}, attrs=attrs or {}, totals=found)


def _outputs(variable: str, with_bounds: bool) -> dict[str, dict[str, str]]:
    """Return the variables of a map, the main one first, and their CF attributes."""
    main = attributes("gpp_daily")
    if not with_bounds:
        return {variable: main}
    bounds = {f"{variable}_{end}": attributes(f"gpp_daily_{end}") for end in ("low", "high")}
    return {variable: {**main, "ancillary_variables": " ".join(bounds)}, **bounds}


def _has_interval(model: Predictor) -> bool:
    return bool(getattr(model, "has_interval", False))


def _predictors(model: Predictor) -> Sequence[str]:
    names: Sequence[str] = getattr(model, "predictors", PREDICTORS)
    return names


def _predict_tile(
    model: Predictor,
    store: TileStore,
    variables: Sequence[str],
    check: str,
    uncertainty: bool,
    tile: int,
    year: int | None,
) -> list[Entry]:
    """Predict one tile and write its files: the unit of work of every driver."""
    columns = [store.read(name, tile, year if store.is_monthly(name) else None) for name in _predictors(model)]
    options = {"interval": True} if uncertainty and _has_interval(model) else {}
    with whole_files():
        check_ranges(dict(zip(_predictors(model), columns, strict=True)), check, where=f"tile {tile}")
        found: Any = model.predict_columns(columns, **options)
    outputs = found if options else (found,)
    origin = _origin(model, store, tile, year)
    written = zip(variables, outputs, strict=True)
    entries = [
        store.put(name, tile, values.astype(np.float32, copy=False), year, origin=origin, check="ignore")
        for name, values in written
    ]
    index = _applicability(model, store) if uncertainty else None
    if index is not None and year == store.each_year[0]:
        with whole_files():
            place = np.stack([store.read(name, tile) for name in index.predictors], axis=1).astype(np.float64)
        values = index.dissimilarity(place, index.predictors).astype(np.float32)
        origin = _index_origin(index, store, tile)
        entries.append(store.put(_index_name(variables[0]), tile, values, origin=origin))
    return entries


def _applicability(model: Predictor, store: TileStore) -> Applicability | None:
    """Return the places of the towers of a model, if it has them and the store tells where its cells are among them."""
    known: Applicability | None = getattr(model, "applicability", None)
    if known is None or any(store.is_monthly(name) for name in known.predictors):
        return None
    return known


def _index_name(variable: str) -> str:
    return _INDEX if variable == "gpp_daily" else f"{variable}_{_INDEX}"


def _index_attributes(known: Applicability) -> dict[str, Any]:
    return {
        **attributes(_INDEX),
        "area_of_applicability": known.threshold,
        "towers": len(known.places),
    }


def _index_origin(known: Applicability, store: TileStore, tile: int) -> str:
    return store.digest(known.predictors, tile, salt=repr(known.to_card()))


def _origin(model: Predictor, store: TileStore, tile: int, year: int | None) -> str:
    """Return the digest of what the predictions of a tile follow from."""
    return store.digest(_predictors(model), tile, year, salt=model.digest)


def _in_threads(
    model: Predictor,
    store: TileStore,
    variables: Sequence[str],
    tasks: Sequence[Task],
    n_threads: int,
    check: str,
    uncertainty: bool,
) -> Generator[list[Entry]]:
    """Yield what was written, in the order of completion; close it to give up the rest."""
    with disk_errors(f"map in {n_threads} threads"):
        yield from in_threads(
            lambda task: _predict_tile(model, store, variables, check, uncertainty, *task), tasks, n_threads
        )


def _on_cluster(
    client: Client,
    model: Path,
    digest: str,
    store: TileStore,
    variables: Sequence[str],
    tasks: Sequence[Task],
    check: str,
    uncertainty: bool,
) -> Generator[list[Entry]]:
    """Do the same on a cluster; the scheduler reassigns tasks of lost workers."""
    from distributed import as_completed

    where = (str(model.resolve()), digest, str(store.path.resolve()), variables, check, uncertainty)
    futures = [client.submit(_predict_remote, *where, *task, retries=_RETRIES, pure=False) for task in tasks]
    try:
        for future in as_completed(futures):  # type: ignore[no-untyped-call]
            yield future.result()
            future.release()
    finally:
        client.cancel(futures)  # type: ignore[no-untyped-call]


def _predict_remote(
    saved: str,
    digest: str,
    path: str,
    variables: Sequence[str],
    check: str,
    uncertainty: bool,
    tile: int,
    year: int | None,
) -> list[Entry]:
    return _predict_tile(*_open(saved, digest, path), variables, check, uncertainty, tile, year)


@lru_cache(maxsize=1)
def _open(saved: str, digest: str, path: str) -> tuple[Predictor, TileStore]:
    """Load model and store, once per worker."""
    model = TransferModel.load(saved)
    if model.digest != digest:
        raise OutputExistsError(f"{saved}: expected the model with digest {digest}, got {model.digest}")
    return model, TileStore.open(path)
