"""The process model at tower months: forcing expanded to canopy hours once, GPP and derivatives for any parameters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from gppcore.arrays import check_type
from gppcore.constants import C4_OF, PFTS, PlantFunctionalType
from gppcore.errors import RangeError
from gppcore.features.place import MONTHLY_COVARIATES
from gppcore.process import soil_water
from gppcore.process.daylight import Daylight, daylight_of_month, mid_month_day
from gppcore.process.parameters import vcmax25_of
from gppcore.process.two_leaf import Canopy, Forcing, two_leaf_gpp, two_leaf_gradient
from gppcore.runtime import threads
from gppcore.towers import Towers
from gppcore.variables import G_C_PER_UMOL

Float = NDArray[np.float64]
Types = Mapping[str, PlantFunctionalType]

PHYSICS = ("process", "rubisco_limited", "light_limited", "unstressed", "shaded", "apar_sunlit", "apar_shaded")
"""Monthly quantities of the process model for learners: its GPP; GPP with a quarter of Vcmax25, with unlimited Vcmax25,
and with wet soil; GPP of shaded leaves (all g C m-2 d-1); photons absorbed by sunlit and shaded leaves
(mol m-2 d-1)."""
COVARIATES = ("tair_growing", "aridity", "lai_max", "tair_seasonality")
"""Predictors of the place that Vcmax25 may follow: what is known of any land cell."""
_LOW_VCMAX25 = 0.25
_UNBOUND_VCMAX25 = 400.0
_MOL_PER_G_C = 1e-6 / G_C_PER_UMOL
_MONTHLY = ("tair", "tair_range", "sw", "vpd", "ca", "soil_water", "lai")


@dataclass(frozen=True)
class TypeHours:
    """Canopy hours of one plant functional type at the tower months where it grows.

    Attributes
    ----------
    name : str
        Name of the type.
    rows : ndarray of int, shape (n,)
        Tower months.
    share : ndarray, shape (n,)
        Area share of the type at the tower [1].
    light : Daylight
        Daylight hours of these months.
    month : dict of str to ndarray, shape (n,)
        Monthly forcing, and the predictors that parameters may follow (`COVARIATES`, `MONTHLY_COVARIATES`).
    """

    name: str
    rows: NDArray[np.int64]
    share: Float
    light: Daylight
    month: Mapping[str, Float]

    def gpp(self, pfts: Types, n_threads: int) -> Float:
        """Return the type's part of daily GPP [g m-2 d-1], shape (n,)."""
        weather, canopy = self._inputs(pfts)
        return self._daily(two_leaf_gpp(weather, canopy, pfts[self.name], n_threads=n_threads).gpp)

    def features(self, pfts: Types, n_threads: int) -> tuple[Float, ...]:
        """Return the type's part of the `PHYSICS` features, each of shape (n,)."""
        weather, canopy = self._inputs(pfts)
        pft, own = pfts[self.name], canopy.vcmax25
        vcmax25 = pfts[self.name].vcmax25 if own is None else own
        wet = replace(canopy, soil_water_stress=1.0)

        def gpp(canopy: Canopy) -> Float:
            return two_leaf_gpp(weather, canopy, pft, n_threads=n_threads).gpp

        full = two_leaf_gpp(weather, canopy, pft, outputs=("apar",), n_threads=n_threads)
        assert full.apar is not None
        fluxes = (
            full.gpp,
            gpp(replace(canopy, vcmax25=_LOW_VCMAX25 * np.asarray(vcmax25))),
            gpp(replace(canopy, vcmax25=_UNBOUND_VCMAX25)),
            gpp(wet),
            full.gpp_shaded,
            (full.apar[0] + full.apar[2]) * _MOL_PER_G_C,
            (full.apar[1] + full.apar[3]) * _MOL_PER_G_C,
        )
        return tuple(self._daily(flux) for flux in fluxes)

    def gradient(self, pfts: Types, parameters: Sequence[str], n_threads: int) -> list[Float]:
        """Return the derivatives of :meth:`gpp` by the logarithms of parameters of the type, each of shape (n,)."""
        by_kernel = {name: "soil_water_stress" if name == "psi_exponent" else name for name in parameters}
        names = tuple(dict.fromkeys(by_kernel.values()))
        weather, canopy = self._inputs(pfts)
        pft = pfts[self.name]
        found = two_leaf_gradient(weather, canopy, pft, parameters=names, n_threads=n_threads)
        slopes = []
        for name in parameters:
            slope, value = found.derivatives[by_kernel[name]], getattr(pft, name)
            if name == "psi_exponent":
                slope = slope * soil_water.stress_by_exponent(self.month["soil_water"], self.month["tair"], pft)
            if name == "vcmax25" and canopy.vcmax25 is not None:
                value = canopy.vcmax25
            slopes.append(self._daily(slope) * value)
        return slopes

    def _inputs(self, pfts: Types) -> tuple[Forcing, Canopy]:
        light, month, pft = self.light, self.month, pfts[self.name]
        weather = Forcing(light.sw, light.tair, light.vpd, light.cos_zenith, month["ca"])
        stress = soil_water.stress(month["soil_water"], month["tair"], pft)
        vcmax25 = vcmax25_of(pfts, self.name, month)
        return weather, Canopy(lai=month["lai"], soil_water_stress=stress, vcmax25=vcmax25)

    def _daily(self, flux: Float) -> Float:
        return self.light.mean(flux) * (self.share * self.light.seconds * G_C_PER_UMOL)


@dataclass(frozen=True)
class TowerHours:
    """Canopy hours of tower months.

    Attributes
    ----------
    known : ndarray of bool, shape (rows,)
        Tower months that have forcing.
    types : tuple of TypeHours
        Hours by plant functional type, C3 and C4 apart.
    """

    known: NDArray[np.bool_]
    types: tuple[TypeHours, ...]

    @classmethod
    def of(cls, towers: Towers) -> TowerHours:
        """Expand the forcing of the months in `towers.gpp`."""
        check_type("towers", towers, Towers, "read_towers(folder)")
        t, cell = towers.positions()
        known = (t >= 0) & (cell >= 0)
        rows, t, cell = np.flatnonzero(known), t[known], cell[known]
        ds = towers.forcing
        month = {name: ds[name].transpose("time", "cell").values[t, cell] for name in _MONTHLY}
        month |= {n: towers.forcing_at(n, t, cell) for n in (*COVARIATES, *MONTHLY_COVARIATES) if n in ds}
        lat = ds["lat"].values[cell]
        day = np.array([mid_month_day(m) for m in range(1, 13)])[ds["time"].dt.month.values[t] - 1]
        types = []
        for name, share in _shares(towers, cell):
            at = np.flatnonzero(share > 0.0)
            own = {k: v[at] for k, v in month.items()}
            light = daylight_of_month(lat[at], day[at], own["sw"], own["tair"], own["tair_range"], vpd=own["vpd"])
            types.append(TypeHours(name, rows[at], share[at], light, own))
        return cls(known, tuple(types))

    def gpp(self, pfts: Types, n_threads: int = 1) -> Float:
        """Return daily GPP of the tower months [g m-2 d-1], shape (rows,); NaN without forcing."""
        total = np.where(self.known, 0.0, np.nan)
        for part in self.types:
            total[part.rows] += part.gpp(pfts, n_threads)
        return total


def physics_features(towers: Towers, pfts: Types | None = None, *, n_threads: int | None = None) -> dict[str, Float]:
    """Simulate the `PHYSICS` features of tower months, as :func:`process_gpp` does GPP.

    Returns
    -------
    dict of str to ndarray, shape (rows of `towers.gpp`,)
        By name; NaN where the forcing is unknown.

    Raises
    ------
    RangeError
        If `pfts` lacks a type of the towers.
    """
    pfts = PFTS if pfts is None else pfts
    n_threads = threads(n_threads)
    hours = TowerHours.of(towers)
    check_types(hours, pfts)
    found = {name: np.where(hours.known, 0.0, np.nan) for name in PHYSICS}
    for part in hours.types:
        for name, feature in zip(PHYSICS, part.features(pfts, n_threads), strict=True):
            found[name][part.rows] += feature
    return found


def process_gpp(towers: Towers, pfts: Types | None = None, *, n_threads: int | None = None) -> Float:
    """Simulate GPP of tower months with given parameters.

    Parameters
    ----------
    towers : Towers
        Towers with their forcing.
    pfts : mapping of str to PlantFunctionalType, optional
        Parameters by name of the type, for instance `pfts` of a :class:`gppcore.Calibration`; those of
        :class:`gppcore.CalibratedParameters` vary from place to place.
    n_threads : int, optional
        Threads of the kernel; all usable cores by default. Results do not depend on it.

    Returns
    -------
    ndarray, shape (rows of `towers.gpp`,)
        Daily GPP [g m-2 d-1] that `simulate(towers.forcing, pfts=pfts)` gives for these months; NaN where the forcing
        is unknown.

    Raises
    ------
    RangeError
        If `pfts` lacks a type of the towers.
    ShapeError
        If the forcing lacks a covariate of `pfts`.

    Examples
    --------
    >>> from gppcore import process_gpp
    >>> from gppcore.demo.towers import demonstration_towers
    >>> towers = demonstration_towers(45, 48, 5, 12)
    >>> gpp = process_gpp(towers)
    >>> gpp.shape, round(float((gpp - towers.gpp["gpp_daily"]).mean()), 1)  # bias, g m-2 d-1
    ((955,), -0.9)
    """
    pfts = PFTS if pfts is None else pfts
    n_threads = threads(n_threads)
    hours = TowerHours.of(towers)
    check_types(hours, pfts)
    return hours.gpp(pfts, n_threads)


def check_types(hours: TowerHours, pfts: Types) -> None:
    """Refuse parameters that lack a type of the towers."""
    if unknown := sorted({part.name for part in hours.types} - set(pfts)):
        raise RangeError(f"pft: expected names out of {sorted(pfts)}, got {unknown}")


def _shares(towers: Towers, cell: NDArray[np.int64]) -> Iterator[tuple[str, Float]]:
    """Yield the types that grow at cells with their area shares there; grass and crop parted into C3 and C4."""
    fraction = towers.forcing["pft_fraction"].transpose("pft", "cell")
    c4 = towers.forcing["c4_fraction"].values[cell]
    for name, area in zip(map(str, fraction["pft"].values), fraction.values[:, cell], strict=True):
        if not (area > 0.0).any():
            continue
        if name not in C4_OF:
            yield name, area
            continue
        yield name, area * (1.0 - c4)
        if (c4 > 0.0).any():
            yield C4_OF[name], area * c4
