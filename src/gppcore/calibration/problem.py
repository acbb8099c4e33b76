"""Least-squares problem of a calibration: residuals of tower months and priors, and their exact derivatives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gppcore.calibration.priors import SITE_SD, SLOPE_SD, Prior, tightening
from gppcore.constants import PlantFunctionalType
from gppcore.process.parameters import CalibratedParameters, Covariate
from gppcore.statistics import independent_rows
from gppcore.towers import Towers
from gppcore.towers.process import TowerHours
from gppcore.variables import VARIABLES

Float = NDArray[np.float64]
Types = Mapping[str, PlantFunctionalType]

_ROBUST_FROM = 2.0  # standard deviations from which a mismatch counts less than its square
_SITE_CORRELATION = 0.05  # of mismatches of a tower whose peculiarity is fitted
_SITE = "site_effect"


@dataclass(frozen=True)
class Problem:
    """Residuals and their derivatives by x.

    x holds log multipliers, common ones first, then those of types; the slopes of the covariates; and the log factors
    on Vcmax25 of the sites, which are fitted so that a peculiar site does not bend types and slopes.
    """

    hours: TowerHours
    gpp: Float
    weight: Float
    """Of the tower months; residuals are multiplied by its square root."""
    residual_sd: float
    pfts: Types
    parameters: Sequence[str]
    priors: Mapping[str, Prior]
    n_threads: int
    covariates: tuple[Covariate, ...] = ()
    """With slopes of 0."""
    slope_sd: float = SLOPE_SD
    site: NDArray[np.int64] | None = None
    """Number of the site of every month, with covariates."""

    @classmethod
    def of(
        cls,
        towers: Towers,
        pfts: Types,
        parameters: Sequence[str],
        priors: Mapping[str, Prior],
        residual_sd: float,
        correlation: float,
        n_threads: int,
        covariates: Sequence[str] = (),
    ) -> Problem:
        """Set up the problem of towers whose months all have GPP and forcing."""
        gpp = towers.gpp["gpp_daily"].to_numpy(float)
        hours = TowerHours.of(towers)
        effects = tuple(_covariate(towers, name) for name in covariates)
        used = tuple(effect for effect in effects if effect is not None)
        if not used:
            weight = independent_rows(towers.row_clusters, correlation)
            return cls(hours, gpp, weight, residual_sd, pfts, parameters, priors, n_threads)
        names = towers.gpp["site_id"].to_numpy()
        site = np.unique(names, return_inverse=True)[1].astype(np.int64)
        weight = independent_rows(names, _SITE_CORRELATION)
        slope_sd = SLOPE_SD * tightening(len(np.unique(towers.row_clusters)))
        return cls(hours, gpp, weight, residual_sd, pfts, parameters, priors, n_threads, used, slope_sd, site)

    @cached_property
    def fitted(self) -> list[tuple[str, str]]:
        """Type and parameter of the multipliers."""
        return [(name, parameter) for name in self.pfts for parameter in self.parameters]

    @cached_property
    def common(self) -> list[tuple[str, str]]:
        """Pathway and parameter of the common multipliers."""
        return sorted({(self.pfts[name].pathway, parameter) for name, parameter in self.fitted})

    @cached_property
    def sites(self) -> int:
        """Number of sites whose log factors are fitted."""
        return 0 if self.site is None else int(self.site.max()) + 1

    @cached_property
    def slopes(self) -> slice:
        """Positions of the slopes in x."""
        first = len(self.common) + len(self.fitted)
        return slice(first, first + len(self.covariates))

    @cached_property
    def prior(self) -> Float:
        """Matrix whose product with x holds the residuals of the priors."""
        n = len(self.common)
        matrix = np.zeros((self.slopes.stop + self.sites,) * 2)
        for j, (_, parameter) in enumerate(self.common):
            matrix[j, j] = 1.0 / self.priors[parameter].common_sd
        for j, (name, parameter) in enumerate(self.fitted, start=n):
            matrix[j, j] = 1.0 / self.priors[parameter].type_sd
            matrix[j, self.common.index((self.pfts[name].pathway, parameter))] = -matrix[j, j]
        own = np.arange(self.slopes.start, len(matrix))
        matrix[own, own] = np.where(own < self.slopes.stop, 1.0 / self.slope_sd, 1.0 / SITE_SD)
        return matrix

    @cached_property
    def bounds(self) -> tuple[Float, Float]:
        """Lowest and highest x: log multipliers that keep the parameters in their valid ranges."""
        value = [getattr(self.pfts[name], parameter) for name, parameter in self.fitted]
        limits = np.array([VARIABLES[parameter].valid_range for _, parameter in self.fitted])
        low, high = np.full(len(self.prior), -np.inf), np.full(len(self.prior), np.inf)
        types = slice(len(self.common), self.slopes.start)
        with np.errstate(divide="ignore"):
            low[types], high[types] = np.log(limits.T / value)
        return low, high

    def types(self, x: Float) -> dict[str, PlantFunctionalType]:
        """Return the types with multiplied parameters."""
        changed: dict[str, dict[str, Any]] = {name: {} for name in self.pfts}
        for (name, parameter), log in zip(self.fitted, x[len(self.common) : self.slopes.start], strict=True):
            # Rounding must not move a value at its bound beyond it.
            value = np.clip(getattr(self.pfts[name], parameter) * np.exp(log), *VARIABLES[parameter].valid_range)
            changed[name][parameter] = float(value)
        return {name: replace(pft, **changed[name]) for name, pft in self.pfts.items()}

    def parameters_at(self, x: Float, covariance: Float | None = None) -> Types:
        """Return the types, with the effects of covariates where there are any; without those of the sites.

        With the covariance of x they know how certain Vcmax25 of a place is.
        """
        if not self.covariates:
            return self.types(x)
        slopes = zip(self.covariates, x[self.slopes], strict=True)
        found = CalibratedParameters(self.types(x), tuple(replace(c, slope=float(slope)) for c, slope in slopes))
        if covariance is None:
            return found
        of_types = [len(self.common) + self.fitted.index((name, "vcmax25")) for name in self.pfts]
        own = np.array([*of_types, *range(self.slopes.start, self.slopes.stop)])
        kept = tuple(tuple(row) for row in covariance[np.ix_(own, own)].tolist())
        return replace(found, covariance=kept, site_sd=SITE_SD)

    def residuals(self, x: Float) -> Float:
        """Return mismatch over standard deviation of the tower months, then of the priors."""
        hours, parameters = self._at_sites(x)
        mismatch = hours.gpp(parameters, self.n_threads) - self.gpp
        return np.append(mismatch * (np.sqrt(self.weight) / self.residual_sd), self.prior @ x)

    def jacobian(self, x: Float) -> Float:
        """Return the derivatives of :meth:`residuals` by x."""
        hours, parameters = self._at_sites(x)
        rows = np.zeros((len(self.gpp), x.size))
        column = {key: j for j, key in enumerate(self.fitted, start=len(self.common))}
        for part in hours.types:
            slopes = part.gradient(parameters, self.parameters, self.n_threads)
            for parameter, slope in zip(self.parameters, slopes, strict=True):
                rows[part.rows, column[part.name, parameter]] += slope
                if parameter == "vcmax25" and self.site is not None:
                    for j, covariate in enumerate(self.covariates, start=self.slopes.start):
                        rows[part.rows, j] += slope * covariate.standardised(part.month[covariate.name])
                    rows[part.rows, self.slopes.stop + self.site[part.rows]] += slope
        return np.concatenate([rows * (np.sqrt(self.weight) / self.residual_sd)[:, None], self.prior])

    def _at_sites(self, x: Float) -> tuple[TowerHours, Types]:
        """Return hours and parameters that hold the effects of the sites, too."""
        parameters = self.parameters_at(x)
        if self.site is None or not isinstance(parameters, CalibratedParameters):
            return self.hours, parameters
        effect = x[self.slopes.stop :][self.site]
        parts = (replace(p, month={**p.month, _SITE: effect[p.rows]}) for p in self.hours.types)
        with_site = (*parameters.covariates, Covariate(_SITE, 0.0, 1.0, 1.0))
        return replace(self.hours, types=tuple(parts)), replace(parameters, covariates=with_site)

    def loss(self, squares: Float) -> Float:
        """Return the loss of squared residuals and its two derivatives, as `least_squares` expects them.

        The limit from which a month counts less follows its weight, so that the weight multiplies its loss.
        """
        out = np.zeros((3, squares.size))
        out[0], out[1] = squares, 1.0
        limit = self.weight * _ROBUST_FROM**2
        root = np.sqrt(1.0 + squares[: limit.size] / limit)
        out[:, : limit.size] = 2.0 * limit * (root - 1.0), 1.0 / root, -0.5 / (limit * root**3)
        return out

    def cost(self, x: Float) -> float:
        """Return half the sum of the losses."""
        return float(0.5 * self.loss(self.residuals(x) ** 2)[0].sum())


def _covariate(towers: Towers, name: str) -> Covariate | None:
    """Return a covariate standardised over the sites, or over all months if it varies; None if too few are known."""
    t, cell = towers.positions()
    values = towers.forcing_at(name, t, cell)
    if "time" not in towers.forcing[name].dims:
        values = values[np.unique(towers.gpp["site_id"].to_numpy(), return_index=True)[1]]
    known = values[np.isfinite(values)]
    if known.size < 2 or not known.std() > 1e-9 * (1.0 + abs(known.mean())):
        return None
    return Covariate(name, float(known.mean()), float(known.std()), 0.0)
