"""Two-leaf photosynthesis of a canopy: typed arrays in, sunlit and shaded GPP out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gppcore import _core
from gppcore.constants import PlantFunctionalType
from gppcore.errors import DtypeError, ShapeError
from gppcore.variables import check_range

Float = NDArray[np.float64]


@dataclass(frozen=True)
class Forcing:
    """Weather of the canopy hours; arrays broadcast against each other and against :class:`Canopy`.

    Parameters
    ----------
    sw : array_like of float64
        Shortwave radiation, downward [W m-2], 0 to 1500.
    tair : array_like of float64
        Air temperature [degC], -90 to 65.
    vpd : array_like of float64
        Vapour pressure deficit [Pa], 0 to 15000.
    cos_zenith : array_like of float64
        Cosine of the solar zenith angle [1], -1 to 1; night where 0 or less.
    ca : array_like of float64
        CO2 mole fraction [umol mol-1], 50 to 2000.
    wind : array_like of float64, default 2.5
        Wind speed at 30 m [m s-1], 0 to 80; GPP depends little on it.
    """

    sw: ArrayLike
    tair: ArrayLike
    vpd: ArrayLike
    cos_zenith: ArrayLike
    ca: ArrayLike
    wind: ArrayLike = 2.5


@dataclass(frozen=True)
class Canopy:
    """State of the canopy; what is None comes from the plant functional type.

    Parameters
    ----------
    lai : array_like of float64
        Leaf area index [m2 m-2], 0 to 15.
    soil_water_stress : array_like of float64, default 1
        Soil-water stress factor [1], 0 to 1; 1 is unstressed.
    clumping : array_like of float64, optional
        Clumping index [1], 0.1 to 1.
    vcmax25 : array_like of float64, optional
        Vcmax at 25 degC [umol m-2 s-1], 0 to 400.
    g1 : array_like of float64, optional
        Slope of the Ball-Berry relation [1], 0 to 30.
    """

    lai: ArrayLike
    soil_water_stress: ArrayLike = 1.0
    clumping: ArrayLike | None = None
    vcmax25: ArrayLike | None = None
    g1: ArrayLike | None = None


@dataclass(frozen=True)
class TwoLeafFlux:
    """GPP of the canopy hours [umol CO2 m-2 s-1], over- and understory together."""

    gpp_sunlit: Float
    gpp_shaded: Float

    @property
    def gpp(self) -> Float:
        """GPP of all leaves [umol CO2 m-2 s-1]."""
        return self.gpp_sunlit + self.gpp_shaded


def two_leaf_gpp(
    forcing: Forcing,
    canopy: Canopy,
    pft: PlantFunctionalType,
    *,
    out: TwoLeafFlux | None = None,
    n_threads: int = 1,
) -> TwoLeafFlux:
    """Simulate GPP of canopy hours with the two-leaf model.

    Parameters
    ----------
    forcing : Forcing
        Weather; must be hourly or finer, since GPP is not linear in light.
    canopy : Canopy
        Leaves, soil-water stress and overrides of the parameters.
    pft : PlantFunctionalType
        Parameters; C3 or C4 by its pathway.
    out : TwoLeafFlux, optional
        C-contiguous float64 arrays of the broadcast shape to write to.
    n_threads : int, default 1
        Threads to use; 0 means all cores. The result does not depend on it.

    Returns
    -------
    TwoLeafFlux
        Arrays of the broadcast shape. NaN in an input gives NaN there and nowhere else.

    Raises
    ------
    ShapeError
        If the shapes do not broadcast, or `out` has another shape.
    DtypeError
        If an input is not float64 (integers and Python numbers are taken), or `out` is not.
    RangeError, UnitsError
        If a value lies outside its valid range, or looks like another unit.

    Notes
    -----
    Sunlit and shaded leaves of Chen et al. (1999, 2012) with Farquhar C3 or Collatz C4 photosynthesis coupled
    to Ball-Berry stomata; three passes of the energy balance; biochemistry at air temperature. GPP is net
    assimilation of the leaves, as in BEPS. `gppcore.reference` states every equation.

    References
    ----------
    .. [1] Chen, J.M. et al. (1999) Ecol. Model. 124, 99-119. doi:10.1016/S0304-3800(99)00156-8
    .. [2] Chen, J.M. et al. (2012) Global Biogeochem. Cycles 26, GB1019. doi:10.1029/2010GB003996

    Examples
    --------
    >>> from gppcore.constants import PFTS
    >>> noon = Forcing(sw=600.0, tair=22.0, vpd=1000.0, cos_zenith=0.8, ca=400.0)
    >>> flux = two_leaf_gpp(noon, Canopy(lai=3.0), PFTS["dbf"])
    >>> round(float(flux.gpp), 1)
    21.1
    """
    values = _inputs(forcing, canopy, pft)
    try:
        shape = np.broadcast_shapes(*(v.shape for v in values))
    except ValueError:
        shapes = ", ".join(str(v.shape) for v in values if v.ndim)
        raise ShapeError(f"two_leaf_gpp: inputs do not broadcast against each other, got {shapes}") from None
    if out is None:
        out = TwoLeafFlux(np.empty(shape), np.empty(shape))
    flat = (-1, max(shape[-1], 1)) if shape else (1, 1)
    sunlit, shaded = (_output(name, getattr(out, name), shape).reshape(flat) for name in ("gpp_sunlit", "gpp_shaded"))
    if sunlit.size:
        grids = [_grid(v, shape, sunlit.shape) for v in values]
        _core.two_leaf(_parameters(pft), grids, sunlit, shaded, n_threads)
    return out


def _inputs(forcing: Forcing, canopy: Canopy, pft: PlantFunctionalType) -> list[Float]:
    """Check all inputs and return them in the order of the kernel."""
    named = {
        "sw": forcing.sw,
        "tair": forcing.tair,
        "vpd": forcing.vpd,
        "wind": forcing.wind,
        "cos_zenith": forcing.cos_zenith,
        "ca": forcing.ca,
        "lai": canopy.lai,
        "clumping": pft.clumping if canopy.clumping is None else canopy.clumping,
        "soil_water_stress": canopy.soil_water_stress,
        "vcmax25": pft.vcmax25 if canopy.vcmax25 is None else canopy.vcmax25,
        "g1": pft.g1 if canopy.g1 is None else canopy.g1,
    }
    arrays = []
    for name, value in named.items():
        array = np.asarray(value)
        if array.dtype.kind in "iu" or array.ndim == 0:
            array = array.astype(np.float64)
        if array.dtype != np.float64:
            raise DtypeError(f"{name}: expected float64, got {array.dtype}")
        arrays.append(check_range(name, array))
    return arrays


def _output(name: str, array: Float, shape: tuple[int, ...]) -> Float:
    if array.dtype != np.float64 or not array.flags.c_contiguous:
        raise DtypeError(f"out.{name}: expected a C-contiguous float64 array, got {array.dtype}")
    if array.shape != shape:
        raise ShapeError(f"out.{name}: expected shape {shape}, got {array.shape}")
    return array


def _grid(value: Float, shape: tuple[int, ...], grid: tuple[int, ...]) -> Float:
    """View an input as rows x columns; copied only where several leading dimensions broadcast unevenly."""
    return np.broadcast_to(value, shape).reshape(grid) if len(shape) > 2 else np.broadcast_to(value, grid)


def _parameters(pft: PlantFunctionalType) -> _core.TwoLeafParameters:
    return _core.TwoLeafParameters(
        g0=pft.g0,
        albedo=pft.albedo,
        height_overstory=pft.height_overstory,
        height_understory=pft.height_understory,
        stem_area_overstory=pft.stem_area_overstory,
        stem_area_understory=pft.stem_area_understory,
        understory=pft.understory,
        c4=pft.pathway == "C4",
    )
