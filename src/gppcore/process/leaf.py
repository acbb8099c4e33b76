"""Photosynthesis of single leaves, coupled to their stomata."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from gppcore import _core
from gppcore.arrays import Floats, floats
from gppcore.errors import DtypeError, RangeError
from gppcore.process.broadcast import Grids
from gppcore.runtime import threads

MODES = ("default", "beps")
"""The exact coupled minimum of the limiting rates; BEPS as published."""


@dataclass(frozen=True)
class LeafFlux:
    """Gas exchange of single leaves.

    Parameters
    ----------
    a_net : ndarray
        Net assimilation [umol CO2 m-2 s-1], at least 0.
    ci : ndarray
        CO2 inside the leaf [umol mol-1].
    conductance : ndarray
        Stomatal conductance for water vapour [mol m-2 s-1].
    rd : ndarray
        Respiration in light [umol CO2 m-2 s-1].

    Examples
    --------
    >>> from gppcore import leaf_gas_exchange
    >>> air = {"tair": 25.0, "humidity": 0.7, "boundary_conductance": 2.0, "ca": 410.0}
    >>> leaf = leaf_gas_exchange(ppfd=1200.0, vcmax25=60.0, g1=8.0, g0=0.0175, **air)
    >>> float(leaf.a_net.round(1)), float(leaf.ci.round(0)), float(leaf.conductance.round(2))
    (17.6, 290.0, 0.27)
    """

    a_net: Floats
    ci: Floats
    conductance: Floats
    rd: Floats


def leaf_gas_exchange(
    *,
    vcmax25: ArrayLike,
    ppfd: ArrayLike,
    tair: ArrayLike,
    humidity: ArrayLike,
    boundary_conductance: ArrayLike,
    ca: ArrayLike,
    g1: ArrayLike,
    g0: ArrayLike,
    soil_water_stress: ArrayLike = 1.0,
    ci_guess: ArrayLike | None = None,
    pathway: Literal["C3", "C4"] = "C3",
    mode: Literal["default", "beps"] = "default",
    biochemistry: Literal["default", "beps"] | None = None,
    n_threads: int = 1,
) -> LeafFlux:
    """Solve photosynthesis coupled to stomata of single leaves (E6-E12; E24-E28 in BEPS mode).

    Parameters
    ----------
    vcmax25 : array_like
        Vcmax at 25 degC [umol m-2 s-1], 0 to 400.
    ppfd : array_like
        Absorbed photons [umol m-2 s-1], 0 to 3500.
    tair : array_like
        Temperature of the biochemistry [degC], -90 to 65.
    humidity : array_like
        Relative humidity at the leaf surface [1], 0 to 2.
    boundary_conductance : array_like
        Conductance of the boundary layer for water vapour [mol m-2 s-1], 0.001 to 20.
    ca : array_like
        CO2 mole fraction of the air [umol mol-1], 50 to 2000.
    g1 : array_like
        Slope of the Ball-Berry relation [1], 0 to 30.
    g0 : array_like
        Residual conductance for water vapour [mol m-2 s-1], 0 to 1.
    soil_water_stress : array_like, default 1
        Soil-water stress factor [1], 0 to 1.
    ci_guess : array_like, optional
        CO2 inside the leaf that decides which rate limits in BEPS mode [umol mol-1], 0 to 2000; without effect in
        default mode. None: 0.7 `ca`.
    pathway : {"C3", "C4"}
        Photosynthetic pathway; BEPS mode has C3 alone.
    mode : {"default", "beps"}
        How the leaf is solved: the exact coupled minimum of the rates, or as BEPS does.
    biochemistry : {"default", "beps"}, optional
        Rates of C3 leaves by E8 or, with float64 inputs, by E24. None: those of `mode`. BEPS mode has its own
        alone.
    n_threads : int, default 1
        Threads to use; 0 means all cores.

    Returns
    -------
    LeafFlux
        Arrays of the broadcast shape and number type; NaN where an input is NaN. Where net assimilation would be
        negative it is 0, and stomata are at `g0`.

    Raises
    ------
    ShapeError, DtypeError, RangeError, UnitsError
        As in :func:`gppcore.two_leaf_gpp`.

    References
    ----------
    .. [1] Farquhar, G.D. et al. (1980) Planta 149, 78-90. doi:10.1007/BF00386231
    .. [2] Collatz, G.J. et al. (1992) Aust. J. Plant Physiol. 19, 519-538. doi:10.1071/PP9920519

    Examples
    --------
    >>> import numpy as np
    >>> from gppcore import leaf_gas_exchange
    >>> ppfd = np.array([0.0, 300.0, 1500.0])
    >>> air = {"tair": 25.0, "humidity": 0.7, "boundary_conductance": 2.0, "ca": 410.0}
    >>> leaf_gas_exchange(ppfd=ppfd, vcmax25=60.0, g1=8.0, g0=0.0175, **air).a_net.round(1)
    array([ 0. , 11.6, 18.2])
    >>> leaf_gas_exchange(ppfd=ppfd, vcmax25=40.0, g1=4.0, g0=0.04, pathway="C4", **air).a_net.round(1)
    array([ 0. , 12.3, 29.3])
    """
    if ci_guess is None:
        with np.errstate(under="ignore"):  # refused below, as out of range
            ci_guess = 0.7 * floats("ca", ca)
    grids = Grids(
        {
            "vcmax25": vcmax25,
            "ppfd": ppfd,
            "tair": tair,
            "humidity": humidity,
            "boundary_conductance": boundary_conductance,
            "ca": ca,
            "g1": g1,
            "soil_water_stress": soil_water_stress,
            "g0": g0,
            "ci_guess": ci_guess,
        }
    )
    biochemistry = biochemistry or mode
    check_option("mode", mode, MODES)
    check_option("biochemistry", biochemistry, MODES)
    if "beps" in (mode, biochemistry) and (pathway, biochemistry) != ("C3", "beps"):
        got = f"pathway {pathway}, biochemistry {biochemistry}"
        raise RangeError(f"mode: expected pathway C3 and biochemistry beps in BEPS mode, got {got}")
    needs_double(biochemistry, grids)
    leaf = _core.LeafParameters(c4=is_c4(pathway), mode=mode, biochemistry=biochemistry)
    flux = LeafFlux(*(grids.empty(False) for _ in range(4)))
    targets: list[Floats | None] = [
        grids.output(name, getattr(flux, name)) for name in ("a_net", "ci", "conductance", "rd")
    ]
    if grids.size:
        grids.check(
            _core.leaf_gas_exchange(
                leaf, grids.inputs, grids.limits, targets, grids.shape2, n_threads=threads(n_threads)
            )
        )
    return flux


def check_option(what: str, value: str, known: Sequence[str]) -> None:
    """Refuse an option that is unknown."""
    if value not in known:
        raise RangeError(f"{what}: expected {' or '.join(known)}, got {value!r}")


def needs_double(mode: str, grids: Grids) -> None:
    """Refuse float32 in BEPS mode."""
    if mode == "beps" and grids.dtype != np.float64:
        raise DtypeError(f"mode: expected float64 inputs in BEPS mode, got {grids.dtype}")


def is_c4(pathway: str) -> bool:
    """Return whether a pathway is C4."""
    check_option("pathway", pathway, ("C3", "C4"))
    return pathway == "C4"
