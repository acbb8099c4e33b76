"""The source domain: simulated months of any cells, with land cover exchanged among them.

The cells of a few towers cover few of the combinations of climate, land cover, leaf area and soil water on a map. The
process model can simulate all of them. Copies of the cells therefore get the land cover of other cells, and other leaf
area and soil water, so that the emulator learns the model and not the geography of the towers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from gppcore.constants import PFTS, PlantFunctionalType
from gppcore.errors import ShapeError
from gppcore.features.place import CLIMATE, MONTHLY_COVARIATES
from gppcore.runtime import threads
from gppcore.towers import Towers
from gppcore.towers.process import PHYSICS, physics_features
from gppcore.variables import VARIABLES

if TYPE_CHECKING:
    import xarray as xr

Float = NDArray[np.float64]

_COPIES = 4
_EXCHANGED = 0.6  # share of the copied cells that get the land cover, or the C4 share, of others
_LEAF_SD = 0.4  # of the logarithm of the factor on leaf area
_SOIL_SD = 0.5  # of the logarithm of the exponent on relative soil water
_LEAVES = ("lai", "lai_before", "lai_mean", "lai_min", "lai_max")
_SOIL = ("soil_water", "soil_water_before", "soil_water_mean", "soil_water_growing")
_NORMALS = tuple(name for name in CLIMATE if name not in (*_LEAVES, *_SOIL))
_BLOCK = 20_000  # months whose canopy hours are held at once


@dataclass(frozen=True)
class SourceRows:
    """Rows for pre-training.

    Attributes
    ----------
    x : ndarray, shape (rows, predictors)
        Predictors; NaN for those that the source domain lacks, so that no emulator uses them.
    physics : dict of str to ndarray, shape (rows,)
        Quantities of the process model, `process` (GPP, g C m-2 d-1) first; see `gppcore.towers.process.PHYSICS`.
    months : Towers
        The same rows as months of towers without GPP: input of the process model.

    Examples
    --------
    >>> from gppcore.demo.towers import demonstration_towers
    >>> from gppcore.transfer.source_domain import source_rows
    >>> rows = source_rows(demonstration_towers(45, 48, 5, 12).forcing, ["tair", "sw", "lai"], n_rows=1000)
    >>> rows.physics["process"].shape
    (1000,)
    """

    x: Float
    physics: Mapping[str, Float]
    months: Towers


def source_rows(
    forcing: xr.Dataset,
    predictors: Sequence[str],
    *,
    pfts: Mapping[str, PlantFunctionalType] | None = None,
    n_rows: int = 60_000,
    seed: int = 0,
    n_threads: int | None = None,
) -> SourceRows:
    """Simulate months of cells and of copies of them with exchanged land cover.

    Parameters
    ----------
    forcing : xarray.Dataset
        (time, cell) months of any cells, with the variables of `gppcore.Towers.forcing`.
    predictors : sequence of str
        Predictors of the learners.
    pfts : mapping of str to PlantFunctionalType, optional
        Parameters of the process model, for instance calibrated ones.
    n_rows : int, default 60_000
        Months drawn at random from those with known forcing; all if there are fewer. May be millions: only the rows and
        five copies of the cells are in memory.
    seed : int, default 0
        Seed of copies and draws.
    n_threads : int, optional
        Threads of the kernel; all usable cores by default. The result does not depend on it.

    Raises
    ------
    ShapeError
        If no month of the forcing is known.

    Examples
    --------
    >>> from gppcore.demo.towers import demonstration_towers
    >>> from gppcore.transfer.source_domain import source_rows
    >>> towers = demonstration_towers(45, 48, 5, 12)
    >>> rows = source_rows(towers.forcing, ["tair", "sw", "lai"], n_rows=1000)
    >>> rows.x.shape, list(rows.physics)[:2]
    ((1000, 3), ['process', 'rubisco_limited'])
    """
    pfts = PFTS if pfts is None else pfts
    n_threads = threads(n_threads)
    rng = np.random.default_rng([seed, 17])
    months = _drawn(_exchanged(forcing, rng), n_rows, rng)
    parts = [
        physics_features(months.rows(slice(first, first + _BLOCK)), pfts, n_threads=n_threads)
        for first in range(0, len(months.gpp), _BLOCK)
    ]
    physics = {name: np.concatenate([part[name] for part in parts]) for name in PHYSICS}
    return SourceRows(_matrix(months, predictors), physics, months)


def downscaled_rows(
    cells: xr.Dataset,
    predictors: Sequence[str],
    *,
    physics: Mapping[str, str],
    n_rows: int = 60_000,
    seed: int = 0,
) -> SourceRows:
    """Take the quantities of a process model from the cells themselves: a coarser product that was regridded to them.

    Parameters
    ----------
    cells : xarray.Dataset
        (time, cell) months of cells with predictors and the variables of `physics`; see
        `gppcore.transfer.source_tiles.sample_tiles`.
    predictors, n_rows, seed
        As of :func:`source_rows`.
    physics : mapping of str to str
        Variables of `cells` by the quantity they hold: `process` (GPP, g C m-2 d-1) first.

    Raises
    ------
    ShapeError
        If a variable is not in `cells`, or no month is known.

    Examples
    --------
    >>> from gppcore import simulate
    >>> from gppcore.demo.towers import demonstration_towers
    >>> from gppcore.transfer.source_domain import downscaled_rows
    >>> forcing = demonstration_towers(45, 48, 5, 12).forcing
    >>> cells = forcing.assign(gpp_daily_process=simulate(forcing)["gpp_daily"])  # stands for a coarser product
    >>> rows = downscaled_rows(cells, ["tair", "sw", "lai"], physics={"process": "gpp_daily_process"}, n_rows=1000)
    >>> rows.x.shape
    (1000, 3)
    """
    if missing := sorted(set(physics.values()) - set(cells)):
        raise ShapeError(f"physics: expected variables of the cells, {sorted(map(str, cells))}, got {missing}")
    months = _drawn(cells, n_rows, np.random.default_rng([seed, 17]))
    t, cell = months.positions()
    found = {quantity: months.forcing_at(name, t, cell) for quantity, name in physics.items()}
    return SourceRows(_matrix(months, predictors), found, months)


def _matrix(months: Towers, predictors: Sequence[str]) -> Float:
    """Return the predictors of the rows; NaN for those that the forcing lacks."""
    x = np.full((len(months.gpp), len(predictors)), np.nan)
    t, cell = months.positions()
    for j, name in enumerate(predictors):
        if name in months.forcing or name.startswith("fraction_"):
            x[:, j] = months.forcing_at(name, t, cell)
    return x


def _exchanged(forcing: xr.Dataset, rng: np.random.Generator) -> xr.Dataset:
    """Return the cells and copies of them with other land cover, C4 share, normals, leaves and soil water."""
    import xarray as xr

    n = forcing.sizes["cell"]
    parts = [forcing]
    for _ in range(_COPIES):
        own = np.arange(n)
        cover = np.where(rng.random(n) < _EXCHANGED, rng.permutation(n), own)
        c4 = np.where(rng.random(n) < _EXCHANGED, rng.random(n), forcing["c4_fraction"].values)
        climate = np.where(rng.random(n) < _EXCHANGED, rng.permutation(n), own)
        leaves = xr.DataArray(np.exp(rng.normal(0.0, _LEAF_SD, n)), dims="cell")
        drier = xr.DataArray(np.exp(rng.normal(0.0, _SOIL_SD, n)), dims="cell")
        changed = {
            "pft_fraction": (("pft", "cell"), forcing["pft_fraction"].transpose("pft", "cell").values[:, cover]),
            "c4_fraction": ("cell", c4),
            **{
                name: (forcing[name] * leaves).clip(max=VARIABLES[name].valid_range[1])
                for name in _LEAVES
                if name in forcing
            },
            **{name: forcing[name].clip(min=0.0) ** drier for name in _SOIL if name in forcing},
            **{name: ("cell", forcing[name].values[climate]) for name in _NORMALS if name in forcing},
        }
        if "fraction_wetland" in forcing:
            changed["fraction_wetland"] = ("cell", forcing["fraction_wetland"].values[cover])
        parts.append(forcing.assign(changed))
    return xr.concat(parts, "cell", data_vars="minimal", coords="minimal", compat="override", join="override")


def _drawn(forcing: xr.Dataset, n_rows: int, rng: np.random.Generator) -> Towers:
    """Return cells as towers whose GPP is unknown, with months drawn at random."""
    import pandas as pd
    import xarray as xr

    time = pd.DatetimeIndex(forcing["time"].values)
    n = forcing.sizes["cell"]
    known = xr.DataArray(np.ones((time.size, n), dtype=bool), dims=("time", "cell"))
    for field in forcing.drop_vars(["cell", *MONTHLY_COVARIATES], errors="ignore").values():
        known = known & (abs(field) < np.inf).all([dim for dim in field.dims if dim not in known.dims])
    at = np.flatnonzero(known.transpose("time", "cell").values)
    if not at.size:
        raise ShapeError("source domain: expected months whose forcing is all known, got none")
    t, cell = np.divmod(np.sort(rng.permutation(at)[:n_rows]), n)
    months = pd.DataFrame({"site_id": cell, "year": time.year[t], "month": time.month[t], "gpp_daily": np.nan})
    return Towers("source domain", True, pd.DataFrame(index=pd.RangeIndex(n)), months, forcing)
