"""Predictors derived from other variables of a tile store: the step between forcing and map."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import closing

import numpy as np
from numpy.typing import NDArray

from gppcore.errors import OutputExistsError
from gppcore.features.derive import INPUTS, derivable, derived
from gppcore.io.mapped import whole_files
from gppcore.runtime import in_threads, threads
from gppcore.tiles.store import TileStore
from gppcore.variables import MONTHS, attributes

Float = NDArray[np.float64]

_COMMENT = "derived from other variables of the store"
_BLOCK = 8192  # cells: all months of many years of them are computed at once
_VALUES = 2**23  # of an input in memory at once, 32 MiB: a tile of ten years is decoded once, of twenty twice


def derive_predictors(
    store: TileStore,
    names: Collection[str] | None = None,
    *,
    also: Collection[str] = (),
    n_threads: int | None = None,
    progress: Callable[[int], None] = lambda n: None,
) -> tuple[str, ...]:
    """Derive the predictors that follow from the variables of a store and that it lacks.

    ========================================  =======================================================
    predictor                                 follows from
    ========================================  =======================================================
    `tair`, `tair_range`                      `tmin`, `tmax`
    `tmin`, `tmax`                            `tair`, `tair_range`
    `vpd`                                     `dewpoint`, `rh`, or `specific_humidity` with `patm`
    `sw_toa`                                  latitude
    `fraction_<pft>`, `fraction_wetland`      `igbp`
    `soil_water`                              `precip`, `tair`, `tair_range`, and `fraction_wetland`
    `precip_3m`                               `precip`
    `ndvi_min`, `ndvi_max`                    `ndvi`
    ========================================  =======================================================

    The rules are those of `gppcore.features.derive`, which :func:`gppcore.read_towers` applies to towers. Finished
    tiles are kept, so that a stopped run resumes.

    Parameters
    ----------
    store : TileStore
        With finished tiles.
    names : collection of str, optional
        Those to derive; without it, all that the store lacks.
    also : collection of str, optional
        Names out of `gppcore.features.place.PLACE` to derive too: lags, and normals of climate, leaf area and satellite
        variables over all years of the store.
    n_threads : int, optional
        Tiles at the same time; all usable cores by default. The result does not depend on it.
    progress : callable, optional
        Called with 1 after each tile.

    Returns
    -------
    tuple of str
        Predictors that this call, or an earlier one, derived.

    Raises
    ------
    RangeError
        If `igbp` holds other values than the classes 0 to 16.
    StoreLockedError, DiskFullError

    Examples
    --------
    >>> from gppcore import TileRecipe, build_tiles, derive_predictors
    >>> from gppcore.demo.region import demonstration_region
    >>> from gppcore.tiles.build import Cells
    >>> from gppcore.tiles.fields import VariableSource
    >>> demonstration_region(50.5, 51.5, 10, 11).to_netcdf("world.nc")
    >>> igbp = VariableSource("world.nc", "igbp", static=True)
    >>> store = build_tiles(TileRecipe(Cells("world.nc", "igbp"), {"igbp": igbp}), "tiles")
    >>> derive_predictors(store)
    ('sw_toa',)
    """

    def wanted(name: str) -> bool:
        return names is None or name in names

    with store.writing():
        given = {name for name in store.variables if not is_derived(store, name)}
        added = {
            name: monthly
            for name, monthly in derivable(given, also=also).items()
            if wanted(name) and _declare(store, name, monthly)
        }
        inputs = sorted(given & INPUTS)
        tiles = range(store.n_tiles if added else 0)
        with closing(
            in_threads(lambda tile: _fill(store, tile, added, inputs, also), tiles, threads(n_threads))
        ) as done:
            for _ in done:
                progress(1)
    return tuple(added)


def is_derived(store: TileStore, name: str) -> bool:
    """Whether a variable of a store follows from others in it."""
    return store.attributes(name).get("comment") == _COMMENT


def _declare(store: TileStore, name: str, monthly: bool) -> bool:
    """Declare a variable, unless the store has it from elsewhere."""
    attrs = {**attributes(name, own_unit="1"), "comment": _COMMENT}
    try:
        store.add(name, monthly=monthly, attrs=attrs)
    except OutputExistsError:
        return False
    return True


def _fill(store: TileStore, tile: int, added: Mapping[str, bool], inputs: Sequence[str], also: Collection[str]) -> None:
    """Write the unfinished chunks of one tile, all derived from the given variables alone."""
    origin = origin_of_all_years(store, tile, inputs)
    wanted = [
        (name, number if monthly else None)
        for name, monthly in added.items()
        for number, year in enumerate(store.each_year if monthly else (None,))
        if not store.has(name, tile, year, origin=origin)
    ]
    if not wanted:
        return
    n, steps = store.n_cells(tile), MONTHS * len(store.each_year)
    lat = store.lat[store.index[store.cells(tile)] // store.shape[1]]
    whole = {name: np.empty((steps, n) if added[name] else n, dtype=np.float32) for name, _ in wanted}
    given: dict[str, list[NDArray[np.float32]]] = {}
    part = max(_BLOCK, _VALUES // steps // _BLOCK * _BLOCK)
    for start in range(0, n, _BLOCK):
        if start % part == 0:
            given.clear()  # one part at a time
            given |= {name: _all_years(store, name, tile, slice(start, start + part)) for name in inputs}
        block, within = slice(start, start + _BLOCK), slice(start % part, start % part + _BLOCK)
        fields = {"lat": lat[block], **{name: _all_months(years, within) for name, years in given.items()}}
        for name, values in derived(fields, mean_year=store.years is None, also=also).items():
            if name in whole:
                whole[name][..., block] = values
    entries = []
    for name, number in wanted:
        months = whole[name] if number is None else whole[name][MONTHS * number : MONTHS * (number + 1)]
        year = None if number is None else store.each_year[number]
        entries.append(store.put(name, tile, months, year, origin=origin))
    store.confirm(*entries)


def origin_of_all_years(store: TileStore, tile: int, inputs: Sequence[str], *, salt: str = "") -> str:
    """Return the digest of all years of the inputs: soil water of a year depends on those before, normals on all."""
    monthly = [name for name in inputs if store.is_monthly(name)]
    digest = store.digest([name for name in inputs if name not in monthly], tile, salt=salt)
    for year in store.each_year:
        digest = store.digest(monthly, tile, year, salt=digest)
    return digest


@whole_files()
def _all_years(store: TileStore, name: str, tile: int, part: slice) -> list[NDArray[np.float32]]:
    years = store.each_year if store.is_monthly(name) else (None,)
    return [store.read(name, tile, year)[..., part].copy() for year in years]


def _all_months(years: Sequence[NDArray[np.float32]], block: slice) -> Float:
    return np.concatenate([values[..., block] for values in years], dtype=np.float64)
