"""Two-leaf photosynthesis of a canopy: typed arrays in, GPP of sunlit and shaded leaves out, and its derivatives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from numpy.typing import ArrayLike

from gppcore import _core
from gppcore.arrays import Floats, check_type
from gppcore.constants import PFTS, PlantFunctionalType
from gppcore.errors import RangeError
from gppcore.process.broadcast import Grids
from gppcore.process.leaf import MODES, check_option, is_c4, needs_double
from gppcore.runtime import threads

INPUTS = (
    "sw",
    "tair",
    "vpd",
    "wind",
    "cos_zenith",
    "ca",
    "lai",
    "clumping",
    "soil_water_stress",
    "vcmax25",
    "g1",
    "diffuse_fraction",
)
"""Inputs of a canopy hour in the order of the kernel; derivatives may be taken with respect to each.

>>> from gppcore.process.two_leaf import INPUTS
>>> INPUTS[:3]
('sw', 'tair', 'vpd')
"""

LEAF_CLASSES = ("sunlit_overstory", "shaded_overstory", "sunlit_understory", "shaded_understory")
"""Order of the first axis of outputs by leaf class.

>>> from gppcore import PFTS, Canopy, Forcing, two_leaf_gpp
>>> from gppcore.process.two_leaf import LEAF_CLASSES
>>> noon = Forcing(sw=600.0, tair=22.0, vpd=1000.0, cos_zenith=0.8, ca=410.0)
>>> flux = two_leaf_gpp(noon, Canopy(lai=3.0), PFTS["dbf"], outputs=("gpp_classes",))
>>> {name: round(float(gpp), 1) for name, gpp in zip(LEAF_CLASSES, flux.gpp_classes, strict=True)}
{'sunlit_overstory': 12.0, 'shaded_overstory': 9.0, 'sunlit_understory': 0.1, 'shaded_understory': 0.1}
"""

OUTPUTS = ("gpp_classes", "conductance", "transpiration", "leaf_temperature", "apar")
"""Optional outputs of :func:`gppcore.two_leaf_gpp`.

>>> from gppcore.process.two_leaf import OUTPUTS
>>> OUTPUTS
('gpp_classes', 'conductance', 'transpiration', 'leaf_temperature', 'apar')
"""

_COMPONENTS = 4  # derivatives of one pass of the kernel


@dataclass(frozen=True)
class Forcing:
    """Weather of the canopy hours; arrays broadcast against each other and against :class:`Canopy`.

    Parameters
    ----------
    sw : array_like
        Shortwave radiation, downward [W m-2], 0 to 1500.
    tair : array_like
        Air temperature [degC], -90 to 65.
    vpd : array_like
        Vapour pressure deficit [Pa], 0 to 15000.
    cos_zenith : array_like
        Cosine of the solar zenith angle [1], -1 to 1; night where 0 or less.
    ca : array_like
        CO2 mole fraction [umol mol-1], 50 to 2000.
    wind : array_like, default 2.5
        Wind speed at 30 m [m s-1], 0 to 80; GPP depends little on it.
    diffuse_fraction : array_like, optional
        Diffuse share of shortwave [1], 0 to 1. None: from the clearness of the sky.

    Examples
    --------
    >>> import numpy as np
    >>> from gppcore import PFTS, Canopy, Forcing, two_leaf_gpp
    >>> light = Forcing(sw=np.array([0.0, 200.0, 800.0]), tair=22.0, vpd=1000.0, cos_zenith=0.8, ca=410.0)
    >>> two_leaf_gpp(light, Canopy(lai=3.0), PFTS["dbf"]).gpp.round(1)
    array([ 0. , 14. , 20.9])
    """

    sw: ArrayLike
    tair: ArrayLike
    vpd: ArrayLike
    cos_zenith: ArrayLike
    ca: ArrayLike
    wind: ArrayLike = 2.5
    diffuse_fraction: ArrayLike | None = None


@dataclass(frozen=True)
class Canopy:
    """State of the canopy; fields that are None come from the plant functional type.

    Parameters
    ----------
    lai : array_like
        Leaf area index [m2 m-2], 0 to 15.
    soil_water_stress : array_like, default 1
        Soil-water stress factor [1], 0 to 1; 1 is unstressed.
    clumping : array_like, optional
        Clumping index [1], 0.1 to 1.
    vcmax25 : array_like, optional
        Vcmax at 25 degC [umol m-2 s-1], 0 to 400.
    g1 : array_like, optional
        Slope of the Ball-Berry relation [1], 0 to 30.

    Examples
    --------
    >>> import numpy as np
    >>> from gppcore import PFTS, Canopy, Forcing, two_leaf_gpp
    >>> noon = Forcing(sw=600.0, tair=22.0, vpd=1000.0, cos_zenith=0.8, ca=410.0)
    >>> dry = Canopy(lai=3.0, soil_water_stress=np.array([0.2, 0.6, 1.0]))
    >>> two_leaf_gpp(noon, dry, PFTS["grass"]).gpp.round(1)
    array([16.1, 24.8, 26.6])
    """

    lai: ArrayLike
    soil_water_stress: ArrayLike = 1.0
    clumping: ArrayLike | None = None
    vcmax25: ArrayLike | None = None
    g1: ArrayLike | None = None


@dataclass(frozen=True)
class TwoLeafFlux:
    """Fluxes of the canopy hours, over- and understory together; fields not requested are None.

    Parameters
    ----------
    gpp_sunlit, gpp_shaded : ndarray of shape (...)
        GPP of sunlit and of shaded leaves [umol CO2 m-2 s-1].
    gpp_classes : ndarray of shape (4, ...), optional
        GPP by leaf class, in the order of :data:`gppcore.process.two_leaf.LEAF_CLASSES` [umol CO2 m-2 s-1]; their sum
        is `gpp`.
    conductance : ndarray of shape (4, ...), optional
        Stomatal conductance for water vapour by leaf class, per ground area [mol m-2 s-1]; 0 at night.
    transpiration : ndarray of shape (4, ...), optional
        Transpiration by leaf class, per ground area [kg m-2 s-1]; 0 at night.
    leaf_temperature : ndarray of shape (4, ...), optional
        Temperature by leaf class [degC]; that of the air at night.
    apar : ndarray of shape (4, ...), optional
        Absorbed photons by leaf class, per ground area [umol m-2 s-1].

    Examples
    --------
    >>> from gppcore import PFTS, Canopy, Forcing, two_leaf_gpp
    >>> noon = Forcing(sw=600.0, tair=22.0, vpd=1000.0, cos_zenith=0.8, ca=410.0)
    >>> flux = two_leaf_gpp(noon, Canopy(lai=3.0), PFTS["enf"], outputs=["leaf_temperature", "apar"])
    >>> float(flux.gpp_sunlit.round(1)), float(flux.gpp_shaded.round(1))
    (12.1, 9.8)
    >>> flux.leaf_temperature.round(1)
    array([24.1, 21.9, 27. , 23.5])
    """

    gpp_sunlit: Floats
    gpp_shaded: Floats
    gpp_classes: Floats | None = None
    conductance: Floats | None = None
    transpiration: Floats | None = None
    leaf_temperature: Floats | None = None
    apar: Floats | None = None

    @property
    def gpp(self) -> Floats:
        """GPP of all leaves [umol CO2 m-2 s-1]."""
        return self.gpp_sunlit + self.gpp_shaded


@dataclass(frozen=True)
class TwoLeafGradient:
    """GPP and its exact derivatives.

    Parameters
    ----------
    flux : TwoLeafFlux
        Bit-identical to :func:`two_leaf_gpp`.
    derivatives : mapping of str to ndarray
        d gpp / d name for each requested name, in umol CO2 m-2 s-1 per unit of the input.

    Examples
    --------
    >>> from gppcore import PFTS, Canopy, Forcing, two_leaf_gradient
    >>> noon = Forcing(sw=600.0, tair=22.0, vpd=1000.0, cos_zenith=0.8, ca=410.0)
    >>> found = two_leaf_gradient(noon, Canopy(lai=3.0), PFTS["dbf"], parameters=["lai"])
    >>> float(found.flux.gpp.round(1)), float(found.derivatives["lai"].round(2))
    (21.2, 3.0)
    """

    flux: TwoLeafFlux
    derivatives: Mapping[str, Floats]


def two_leaf_gpp(
    forcing: Forcing,
    canopy: Canopy,
    pft: PlantFunctionalType,
    *,
    mode: Literal["default", "beps"] = "default",
    biochem_temperature: Literal["air", "leaf"] = "air",
    gross: bool = False,
    outputs: Sequence[str] = (),
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
    mode : {"default", "beps"}
        The model: the exact coupled minimum of the limiting rates, or BEPS as published (with float64 inputs, leaves
        at air temperature, net GPP; C4 leaves are C3 there).
    biochem_temperature : {"air", "leaf"}
        Temperature at which the biochemistry of the leaves runs. "leaf": of each leaf class, from the last pass of
        the energy balance.
    gross : bool, default False
        Add respiration of the leaves in light back. Where net assimilation is 0 since respiration exceeds
        photosynthesis, the gross rate is what light and CO2 allow: it goes to 0 with light; it is 0 at night.
    outputs : sequence of str, optional
        What else to return, of :data:`gppcore.process.two_leaf.OUTPUTS`.
    out : TwoLeafFlux, optional
        C-contiguous arrays of the broadcast shape, (4, ...) for those of `outputs`, and of the inputs' number type,
        to write to.
    n_threads : int, default 1
        Threads to use; 0 means all cores. The result does not depend on it.

    Returns
    -------
    TwoLeafFlux
        Arrays of the broadcast shape: float32 where input arrays are float32, else float64. NaN in an input gives
        NaN there and nowhere else.

    Raises
    ------
    ShapeError
        If the shapes do not broadcast, or `out` has another shape or one memory for two outputs.
    DtypeError
        If input arrays are not all float64 or all float32 (integers and single numbers adapt), or `out` differs.
    RangeError, UnitsError
        If a value lies outside its valid range, or looks like another unit, or an option is unknown. `out` may then
        hold part of the results.

    Notes
    -----
    Sunlit and shaded leaves of Chen et al. (1999, 2012) with Farquhar C3 or Collatz C4 photosynthesis coupled
    to Ball-Berry stomata; three passes of the energy balance. GPP is net assimilation of the leaves, as in BEPS,
    unless `gross`. `gppcore.process.reference` states every equation.

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
    _check_names("outputs", outputs, OUTPUTS)
    check_option("mode", mode, MODES)
    grids = Grids(_named(forcing, canopy, pft))
    names = ("gpp_sunlit", "gpp_shaded", *outputs)
    if out is None:
        out = TwoLeafFlux(**{name: grids.empty(name in OUTPUTS) for name in names})
    check_type("out", out, TwoLeafFlux, "TwoLeafFlux(gpp_sunlit=array, gpp_shaded=array)")
    targets: list[Floats | None] = [None] * (2 + 4 * len(OUTPUTS))
    for name in names:
        target = grids.output(name, getattr(out, name), by_class=name in OUTPUTS)
        if name in OUTPUTS:
            first = 2 + 4 * OUTPUTS.index(name)
            targets[first : first + 4] = list(target)
        else:
            targets[names.index(name)] = target
    if mode == "beps" and (gross or biochem_temperature != "air"):
        got = f"gross {gross}, biochem_temperature {biochem_temperature}"
        raise RangeError(f"mode: expected gross False and biochem_temperature air in BEPS mode, got {got}")
    needs_double(mode, grids)
    grids.keep_apart({name: getattr(out, name) for name in names})
    pft_numbers = _parameters(pft, mode, biochem_temperature, gross)
    if grids.size:
        grids.check(
            _core.two_leaf(pft_numbers, grids.inputs, grids.limits, targets, grids.shape2, n_threads=threads(n_threads))
        )
    return out


def two_leaf_gradient(
    forcing: Forcing,
    canopy: Canopy,
    pft: PlantFunctionalType,
    *,
    parameters: Sequence[str] = ("vcmax25", "g1", "clumping", "lai", "soil_water_stress"),
    biochem_temperature: Literal["air", "leaf"] = "air",
    gross: bool = False,
    n_threads: int = 1,
) -> TwoLeafGradient:
    """Return GPP of canopy hours, of the default mode, with exact derivatives with respect to some inputs.

    Parameters
    ----------
    forcing, canopy, pft, biochem_temperature, gross, n_threads
        As in :func:`two_leaf_gpp`.
    parameters : sequence of str
        Inputs to take derivatives by, of :data:`gppcore.process.two_leaf.INPUTS`; the cost grows with each four
        of them. A derivative by `diffuse_fraction` needs it in `forcing`; without it, those by `sw` and `cos_zenith`
        go through the clearness of the sky too.

    Returns
    -------
    TwoLeafGradient
        Derivatives are one-sided at bounds of the model (such as a leaf temperature 5 K above the air), and 0 at
        night.

    Raises
    ------
    ShapeError, DtypeError, RangeError, UnitsError
        As in :func:`two_leaf_gpp`; RangeError also for an unknown parameter.

    Notes
    -----
    Forward mode: the kernel runs on numbers that carry four derivatives; those of the leaf follow from the implicit
    function theorem.

    Examples
    --------
    >>> from gppcore import PFTS, Canopy, Forcing, two_leaf_gradient
    >>> noon = Forcing(sw=600.0, tair=22.0, vpd=1000.0, cos_zenith=0.8, ca=410.0)
    >>> found = two_leaf_gradient(noon, Canopy(lai=3.0), PFTS["dbf"], parameters=["vcmax25", "vpd"])
    >>> {name: round(float(slope), 4) for name, slope in found.derivatives.items()}
    {'vcmax25': 0.2834, 'vpd': -0.001}
    """
    named = _named(forcing, canopy, pft)
    _check_names("parameters", parameters, INPUTS)
    for name in parameters:
        if named[name] is None:
            raise RangeError("parameters: expected a diffuse_fraction in forcing to take the derivative by, got None")
    grids = Grids(named)
    flux = TwoLeafFlux(grids.empty(False), grids.empty(False))
    derivatives = {name: grids.empty(False) for name in parameters}
    targets: list[Floats | None] = [None] * (2 + 4 * len(OUTPUTS))
    targets[:2] = grids.output("gpp_sunlit", flux.gpp_sunlit), grids.output("gpp_shaded", flux.gpp_shaded)
    pft_numbers = _parameters(pft, "default", biochem_temperature, gross)
    names = list(derivatives)
    for first in range(0, len(names) if grids.size else 0, _COMPONENTS):
        part: list[str | None] = [*names[first : first + _COMPONENTS]]
        part += [None] * (_COMPONENTS - len(part))
        by = [-1 if name is None else INPUTS.index(name) for name in part]
        to = [None if name is None else grids.output(name, derivatives[name]) for name in part]
        grids.check(
            _core.two_leaf_gradient(
                pft_numbers, grids.inputs, grids.limits, targets, by, to, grids.shape2, n_threads=threads(n_threads)
            )
        )
    return TwoLeafGradient(flux, derivatives)


def _named(forcing: Forcing, canopy: Canopy, pft: PlantFunctionalType) -> dict[str, ArrayLike | None]:
    """Return all inputs by name, in the order of the kernel."""
    by_type = {"dict": "Forcing(**forcing)", "Dataset": "simulate(dataset), which takes datasets"}
    check_type("forcing", forcing, Forcing, by_type.get(type(forcing).__name__, "Forcing(sw=..., tair=...)"))
    check_type("canopy", canopy, Canopy, "Canopy(**canopy)" if isinstance(canopy, dict) else "Canopy(lai=3.0)")
    of_table = f"PFTS[{pft!r}]" if isinstance(pft, str) and pft in PFTS else f"PFTS[name] with a name of {list(PFTS)}"
    check_type("pft", pft, PlantFunctionalType, of_table)
    values = {
        **vars(forcing),
        "lai": canopy.lai,
        "soil_water_stress": canopy.soil_water_stress,
        "clumping": pft.clumping if canopy.clumping is None else canopy.clumping,
        "vcmax25": pft.vcmax25 if canopy.vcmax25 is None else canopy.vcmax25,
        "g1": pft.g1 if canopy.g1 is None else canopy.g1,
    }
    return {name: values[name] for name in INPUTS}


def _check_names(what: str, names: Sequence[str], known: Sequence[str]) -> None:
    if isinstance(names, str):
        raise RangeError(f"{what}: expected a sequence of names, such as ({names!r},), got a string")
    for name in names:
        if name not in known:
            raise RangeError(f"{what}: expected names of {', '.join(known)}, got {name!r}")


def _parameters(pft: PlantFunctionalType, mode: str, biochem_temperature: str, gross: bool) -> _core.TwoLeafParameters:
    check_option("biochem_temperature", biochem_temperature, ("air", "leaf"))
    return _core.TwoLeafParameters(
        g0=pft.g0,
        albedo=pft.albedo,
        height_overstory=pft.height_overstory,
        height_understory=pft.height_understory,
        stem_area_overstory=pft.stem_area_overstory,
        stem_area_understory=pft.stem_area_understory,
        understory=pft.understory,
        c4=is_c4(pft.pathway),
        mode=mode,
        leaf_temperature=biochem_temperature == "leaf",
        gross=gross,
    )
