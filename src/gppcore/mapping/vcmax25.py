"""Map Vcmax25 of a calibrated process model, with its uncertainty."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gppcore.arrays import check_type
from gppcore.errors import OutputExistsError
from gppcore.features import STATIC_PREDICTORS
from gppcore.features.place import PLACE
from gppcore.io.mapped import whole_files
from gppcore.mapping.product import write_product
from gppcore.process.parameters import CalibratedParameters
from gppcore.runtime import in_threads, threads
from gppcore.tiles.derive import derive_predictors, origin_of_all_years
from gppcore.tiles.journal import Entry
from gppcore.tiles.store import TileStore
from gppcore.variables import attributes

VCMAX25 = ("vcmax25", "vcmax25_low", "vcmax25_high")
"""Variables of the map: the mean over the types of a cell, and the bounds of its 90 % interval."""
_DISCOVERY = {
    "summary": "Maximum carboxylation rate of land plants, of a process model that was calibrated to flux towers",
    "keywords": "photosynthesis, carboxylation, Vcmax25, vegetation, land",
}


def map_vcmax25(
    parameters: CalibratedParameters,
    store: TileStore,
    out: str | Path | None = None,
    *,
    attrs: Mapping[str, Any] | None = None,
    n_threads: int | None = None,
) -> None:
    """Write Vcmax25 at every cell of a store, with its 90 % interval.

    A cell has the mean over its types, C3 and C4 grass and crop apart; it is NaN where nothing grows. A covariate that
    changes by month has its mean over the months of the store. The interval is
    that of what a tower in such a place would be found to have: see
    :meth:`gppcore.CalibratedParameters.canopy_vcmax25`.

    Parameters
    ----------
    parameters : CalibratedParameters
        Of :func:`gppcore.calibrate`, or `parameters` of a :class:`gppcore.TransferModel`.
    store : TileStore
        Holds the area shares of the types, `c4_fraction` and the covariates of the parameters, or what those are
        derived from (`gppcore.features.place.CLIMATE`). `vcmax25`, `vcmax25_low` and `vcmax25_high` [umol m-2 s-1] are
        added to it.
    out : str or Path, optional
        New folder of the Zarr product; without it the fields stay in the store.
    attrs : mapping, optional
        Global attributes of the product.
    n_threads : int, optional
        Tiles at the same time; all usable cores by default. The result does not depend on it.

    Raises
    ------
    DtypeError
        If `parameters` is something else.
    RangeError
        If the parameters have no covariance.
    OutputExistsError
        If `out` exists.
    TileFormatError
        If the store lacks a share or a covariate.
    StoreLockedError, DiskFullError

    Examples
    --------
    >>> import numpy as np
    >>> import xarray as xr
    >>> from gppcore import TileStore, calibrate
    >>> from gppcore.demo.towers import demonstration_towers
    >>> from gppcore.features import STATIC_PREDICTORS
    >>> from gppcore.mapping.vcmax25 import map_vcmax25
    >>> parameters = calibrate(demonstration_towers(45, 48, 5, 12)).pfts
    >>> store = TileStore.create("tiles", np.array([50.5, 49.5]), np.array([10.5, 11.5]), np.array([0, 1]))
    >>> place = {"fraction_enf": [1, 0], "tair_growing": [9, 9], "aridity": [0, 0], "lai_max": [4, 4]}
    >>> with store.writing():
    ...     for name in (*STATIC_PREDICTORS, *parameters.names):
    ...         store.add(name, monthly=False, attrs={})
    ...         store.write(name, 0, np.array(place.get(name, [0, 0]), np.float32))
    >>> map_vcmax25(parameters, store, "vcmax25.zarr")
    >>> product = xr.open_zarr("vcmax25.zarr")
    >>> product["vcmax25"].attrs["units"], bool(np.isnan(product["vcmax25"].values[0, 1]))  # nothing grows there
    ('umol m-2 s-1', True)
    """
    check_type("parameters", parameters, CalibratedParameters, "model.parameters")
    check_type("store", store, TileStore, "TileStore.open(path)")
    n_threads = threads(n_threads)
    if out is not None and Path(out).exists():
        raise OutputExistsError(f"product: expected a new folder, got {out}, which exists")
    if lacking := set(parameters.names) & set(PLACE) - set(store.variables):
        derive_predictors(store, lacking, also=lacking, n_threads=n_threads)
    used = (*STATIC_PREDICTORS, *parameters.names)
    for name in used:
        store.is_monthly(name)  # an error if the store has no such variable
    described = {name: attributes(name) for name in VCMAX25}
    described["vcmax25"]["ancillary_variables"] = " ".join(VCMAX25[1:])
    with store.writing():
        for name in VCMAX25:
            store.add(name, monthly=False, attrs=described[name])
        salt = repr(parameters.to_json())
        origin_of = [origin_of_all_years(store, tile, used, salt=salt) for tile in range(store.n_tiles)]
        todo = [
            tile
            for tile in range(store.n_tiles)
            if not all(store.has(name, tile, origin=origin_of[tile]) for name in VCMAX25)
        ]
        work = partial(_map_tile, parameters, store, origin_of)
        with closing(in_threads(work, todo, n_threads)) as finished:
            for entries in finished:
                store.confirm(*entries)
        if out is not None:
            write_product(store, Path(out), described, attrs={**_DISCOVERY, **(attrs or {})})


def _mean(store: TileStore, name: str, tile: int) -> NDArray[np.float64]:
    """Return a static variable, or the mean of a monthly one over its known months."""
    if not store.is_monthly(name):
        return store.read(name, tile).astype(np.float64)
    total, known = np.zeros(store.n_cells(tile)), np.zeros(store.n_cells(tile))
    for year in store.each_year:
        months = store.read(name, tile, year)
        total += np.nansum(months, axis=0, dtype=np.float64)
        known += np.isfinite(months).sum(axis=0)
    with np.errstate(invalid="ignore"):  # 0 / 0 where no month is known
        return np.asarray(total / known)


def _map_tile(parameters: CalibratedParameters, store: TileStore, origin_of: list[str], tile: int) -> list[Entry]:
    with whole_files():
        read = {name: _mean(store, name, tile) for name in (*STATIC_PREDICTORS, *parameters.names)}
    fields = parameters.canopy_vcmax25(read)
    return [
        store.put(name, tile, values.astype(np.float32), origin=origin_of[tile])
        for name, values in zip(VCMAX25, fields, strict=True)
    ]
