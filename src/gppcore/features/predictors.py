"""Predictors of the learners: their order, the land-cover encoding and rows for training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gppcore.constants import IGBP, PFT_NAMES
from gppcore.errors import RangeError, ShapeError
from gppcore.features.place import CLIMATE, SATELLITE, SEASON

if TYPE_CHECKING:
    import pandas as pd

Float = NDArray[np.float64]

_WETLAND = next(land_class.code for land_class in IGBP if land_class.acronym == "WET")

MONTHLY_PREDICTORS = ("tair", "vpd", "sw", "sw_toa", "precip", "soil_water", "lai")
"""Predictors that change by month.

>>> from gppcore.features.predictors import MONTHLY_PREDICTORS
>>> MONTHLY_PREDICTORS[:3]
('tair', 'vpd', 'sw')
"""
FRACTIONS = tuple(f"fraction_{name}" for name in PFT_NAMES)
"""Area shares of the plant functional types.

>>> from gppcore.features.predictors import FRACTIONS
>>> FRACTIONS[:2]
('fraction_enf', 'fraction_ebf')
"""
SHARES = (*FRACTIONS, "fraction_wetland")
"""Area shares that follow from land cover: those of the types, and that of wetland.

>>> from gppcore.features.predictors import SHARES
>>> SHARES[-2:]
('fraction_crop', 'fraction_wetland')
"""
STATIC_PREDICTORS = ("c4_fraction", *FRACTIONS)
"""Predictors that are constant in time.

>>> from gppcore.features.predictors import STATIC_PREDICTORS
>>> len(STATIC_PREDICTORS)
9
"""
PREDICTORS = (*MONTHLY_PREDICTORS, *STATIC_PREDICTORS)
"""Columns of the global tile stores, in order; area shares `fraction_<pft>` describe mixed cells without categories.

>>> from gppcore.features import PREDICTORS
>>> len(PREDICTORS), PREDICTORS.index("lai")
(16, 6)
"""

_SMALL = (*PREDICTORS, "ca", "fraction_wetland", "tair_range", "precip_3m", *SEASON, *CLIMATE)
_MID = (*_SMALL, "ndwi", "fpar", "lst_day", "ndvi_max", "ndvi_min", "elevation")
_FULL = (
    *_MID,
    "lai_modis",
    "lst_night",
    "snow_cover",
    "surface_soil_moisture",
    "skin_temperature",
    "pet",
    "par",
    "par_diffuse",
    "tmin",
    "tmax",
    "burned_fraction",
    "vcmax25_peak_c3",
    "kn",
    "elevation_coarse",
    "soil_sand",
    "soil_clay",
    "soil_organic",
    "soil_field_capacity",
)
PREDICTOR_SETS = {"small": _SMALL, "mid": _MID, "full": _FULL, "rich": (*_FULL, *SATELLITE)}
"""Predictor sets of increasing size. `small`: forcing and land cover, and what follows from them, lags and normals of
climate and leaf area; `mid`: with the most informative satellite variables; `full`: all variables of a tower folder
that exist for maps, too; `rich`: with normals of the satellite variables. Sun-induced fluorescence is excluded, since
models are evaluated with it.

>>> from gppcore.features.predictors import PREDICTOR_SETS
>>> {name: len(predictors) for name, predictors in PREDICTOR_SETS.items()}
{'small': 42, 'mid': 48, 'full': 66, 'rich': 74}
"""


def igbp_codes(acronyms: ArrayLike) -> NDArray[np.uint8]:
    """Return IGBP codes of acronyms such as ENF.

    Raises
    ------
    RangeError
        If a class is unknown.

    Examples
    --------
    >>> from gppcore.features import igbp_codes
    >>> igbp_codes(["ENF", "CRO"])
    array([ 1, 12], dtype=uint8)
    """
    codes = {c.acronym: c.code for c in IGBP}
    found = np.asarray(acronyms, dtype=str).astype(object)
    if unknown := sorted(set(found.ravel()) - set(codes)):
        raise RangeError(f"igbp: expected classes out of {sorted(codes)}, got {unknown}")
    return np.array([codes[name] for name in found.ravel()], dtype=np.uint8).reshape(found.shape)


def pft_fractions(igbp: ArrayLike) -> NDArray[np.float32]:
    """Return the area shares of the plant functional types of IGBP classes.

    Parameters
    ----------
    igbp : array_like of int, shape (n,)
        IGBP class, 0 (water) to 16.

    Returns
    -------
    ndarray, shape (8, n)
        Shares in the order of `gppcore.constants.PFT_NAMES`; their sum is 0 where nothing grows.

    Raises
    ------
    RangeError
        If a class is unknown.

    Examples
    --------
    >>> from gppcore.constants import PFT_NAMES
    >>> from gppcore.features import pft_fractions
    >>> shares = pft_fractions([5, 12])  # mixed forest, cropland
    >>> dict(zip(PFT_NAMES, shares[:, 0].tolist(), strict=True))["mf"]
    1.0
    >>> shares.sum(axis=0)
    array([1., 1.], dtype=float32)
    """
    codes = np.asarray(igbp)
    if codes.size and (codes.min() < 0 or codes.max() > 16):
        raise RangeError(f"igbp: expected classes 0 to 16, got {codes.min()} to {codes.max()}")
    table = np.zeros((17, len(PFT_NAMES)), dtype=np.float32)
    for land_class in IGBP:
        for name, share in land_class.mixture.items():
            table[land_class.code, PFT_NAMES.index(name)] = share
    return np.ascontiguousarray(table[codes].T)


def land_cover_fractions(igbp: Float) -> dict[str, Float]:
    """Return the area shares that follow from IGBP classes: `fraction_<pft>` of each type and `fraction_wetland`.

    Parameters
    ----------
    igbp : ndarray of float
        Classes 0 to 16; NaN where the land cover is unknown.

    Returns
    -------
    dict of str to ndarray
        Shares [1] in the shape of `igbp`, NaN where the class is unknown.

    Raises
    ------
    RangeError
        If a value is not a class.

    Examples
    --------
    >>> import numpy as np
    >>> from gppcore.features import land_cover_fractions
    >>> shares = land_cover_fractions(np.array([1.0, 11.0, np.nan]))
    >>> shares["fraction_enf"], shares["fraction_wetland"]
    (array([ 1.,  0., nan]), array([ 0.,  1., nan]))
    """
    known = np.isfinite(igbp)
    classes = igbp[known]
    if len(wrong := classes[(classes != np.rint(classes)) | (classes < 0) | (classes > 16)]):
        raise RangeError(f"igbp: expected classes 0 to 16, got {wrong[0]:g}")
    shares = pft_fractions(np.where(known, igbp, 0).astype(int).ravel()).astype(np.float64).reshape(-1, *igbp.shape)
    cover = dict(zip(FRACTIONS, shares, strict=True))
    cover["fraction_wetland"] = (igbp == _WETLAND).astype(np.float64)
    return {name: np.where(known, share, np.nan) for name, share in cover.items()}


@dataclass(frozen=True)
class Samples:
    """Rows for training and evaluation: predictors, target and grouping variables.

    Attributes
    ----------
    x : ndarray, shape (rows, predictors)
        Predictors; NaN is missing.
    gpp_daily : ndarray, shape (rows,)
        Target [g m-2 d-1].
    process : ndarray, shape (rows,)
        GPP of the process model for the same rows [g m-2 d-1].
    groups : pandas.DataFrame
        One row per sample: site, cluster, region, pft, year, month; lat and lon [degree], without which models have no
        intervals of totals; tair_mean, mean annual air temperature [degC].
    predictors : tuple of str, default `PREDICTORS`
        Names of the columns of `x`.

    Examples
    --------
    >>> from gppcore import simulate
    >>> from gppcore.demo.towers import demonstration_towers
    >>> towers = demonstration_towers(45, 48, 5, 12)
    >>> samples = towers.samples(simulate(towers.forcing), predictors=["tair", "sw", "lai"])
    >>> samples.x.shape, samples.gpp_daily.shape, samples.groups["site"].nunique()
    ((955, 3), (955,), 11)
    """

    x: Float
    gpp_daily: Float
    process: Float
    groups: pd.DataFrame
    predictors: tuple[str, ...] = PREDICTORS

    def __post_init__(self) -> None:
        n = len(self.gpp_daily)
        if self.x.shape != (n, len(self.predictors)) or self.process.shape != (n,) or len(self.groups) != n:
            raise ShapeError(
                f"Samples: expected {n} rows of {len(self.predictors)} predictors, got x {self.x.shape}, "
                f"process {self.process.shape}, groups {len(self.groups)}"
            )

    def __len__(self) -> int:
        return len(self.gpp_daily)

    def take(self, rows: NDArray[Any]) -> Samples:
        """Return the samples of a mask or of row numbers."""
        return replace(
            self,
            x=self.x[rows],
            gpp_daily=self.gpp_daily[rows],
            process=self.process[rows],
            groups=self.groups.iloc[np.flatnonzero(rows) if rows.dtype == bool else rows],
        )


def predictor_matrix(columns: Mapping[str, ArrayLike], predictors: Sequence[str] = PREDICTORS) -> Float:
    """Stack columns of equal length to rows in the order of `predictors`.

    Raises
    ------
    ShapeError
        If a predictor is missing.

    Examples
    --------
    >>> from gppcore.features import predictor_matrix
    >>> predictor_matrix({"lai": [1.0, 3.0], "tair": [9.0, 18.0]}, ["tair", "lai"])
    array([[ 9.,  1.],
           [18.,  3.]])
    """
    if missing := [name for name in predictors if name not in columns]:
        raise ShapeError(f"predictors: expected {list(predictors)}, got no {missing}")
    return np.column_stack([np.asarray(columns[name], dtype=np.float64) for name in predictors])
