"""Calibration: parameters of the plant functional types fitted to tower GPP, with exact derivatives and priors.

Every parameter of every type gets a multiplier, whose logarithm has a hierarchical Gaussian prior: the types of a
photosynthetic pathway scatter around a common multiplier, and that scatters around 1. Types with
many towers follow their towers; types without follow the others.

References
----------
.. [1] Kattge, J. et al. (2009) Glob. Change Biol. 15, 976-991. doi:10.1111/j.1365-2486.2008.01744.x
.. [2] Chen, J.M. et al. (2012) Global Biogeochem. Cycles 26, GB1019. doi:10.1029/2010GB003996
.. [3] Miner, G.L., Bauerle, W.L. & Baldocchi, D.D. (2017) Plant Cell Environ. 40, 1214-1238. doi:10.1111/pce.12871
.. [4] He, L. et al. (2016) Int. J. Appl. Earth Obs. Geoinf. 44, 53-60. doi:10.1016/j.jag.2015.07.007
.. [5] Kish, L. (1965) Survey Sampling (design effect of clusters).
.. [6] Ju, W. et al. (2006) Agric. For. Meteorol. 140, 181-202. doi:10.1016/j.agrformet.2006.03.016
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gppcore.arrays import check_type
from gppcore.calibration.result import Calibration, Estimate
from gppcore.constants import PFTS, PlantFunctionalType
from gppcore.errors import RangeError, ShapeError
from gppcore.runtime import threads
from gppcore.statistics import CORRELATION, independent_rows
from gppcore.towers import Towers
from gppcore.towers.process import TowerHours, check_types
from gppcore.variables import VARIABLES

Float = NDArray[np.float64]
Types = Mapping[str, PlantFunctionalType]

_ROBUST_FROM = 2.0  # standard deviations from which a mismatch counts less than its square
_MIN_ROWS = 12
_TOLERANCE = 1e-10


@dataclass(frozen=True)
class Prior:
    """Prior of a parameter: standard deviations of log multipliers, which approximate relative ones.

    Parameters
    ----------
    type_sd : float
        Of the types around the common multiplier of their pathway, above 0.
    common_sd : float
        Of the common multiplier around 1, above 0.
    """

    type_sd: float
    common_sd: float

    def __post_init__(self) -> None:
        if not (self.type_sd > 0.0 and self.common_sd > 0.0):
            raise RangeError(f"prior: expected standard deviations above 0, got {self.type_sd}, {self.common_sd}")


PRIORS = {
    "vcmax25": Prior(type_sd=0.3, common_sd=0.4),
    "g1": Prior(type_sd=0.3, common_sd=0.3),
    "clumping": Prior(type_sd=0.1, common_sd=0.1),
    "psi_exponent": Prior(type_sd=0.4, common_sd=0.4),
}
"""Priors of the parameters that can be fitted. `vcmax25`: leaf nitrogen, which carries it, varies within types by 0.38
to 0.53 of its mean [1]_, [2]_; `g1`: values between and within species differ by a factor of two and more [3]_;
`clumping`: satellite maps err by 0.08 at sites [4]_; `psi_exponent`: published values of two types differ by a factor
of 4 [6]_."""


def calibrate(
    towers: Towers,
    *,
    pfts: Types | None = None,
    parameters: Sequence[str] = ("vcmax25",),
    priors: Mapping[str, Prior] = PRIORS,
    residual_sd: float = 2.0,
    correlation: float = CORRELATION,
    n_threads: int | None = None,
) -> Calibration:
    """Fit parameters of the plant functional types to tower GPP.

    Parameters
    ----------
    towers : Towers
        Towers; months whose GPP or forcing is unknown are left out.
    pfts : mapping of str to PlantFunctionalType, optional
        Initial parameters, which are also the prior means; all of these types are fitted.
    parameters : sequence of str, default ("vcmax25",)
        Parameters to fit, out of those in `PRIORS`.
    priors : mapping of str to Prior, optional
        Priors of these parameters.
    residual_sd : float, default 2
        Standard deviation of tower months around the fitted model [g m-2 d-1], above 0. The default is that of
        109 real towers.
    correlation : float, default 0.3
        Correlation of these mismatches within a cluster of towers [1], 0 to 1: n months of a cluster count as
        n / (1 + (n - 1) correlation) independent ones [5]_, so that long records do not dominate many short ones. The
        default is that of the same towers.
    n_threads : int, optional
        Threads of the kernel; all usable cores by default. The result does not depend on it.

    Returns
    -------
    Calibration
        Parameters of all types in `pfts`, with standard deviations.

    Raises
    ------
    RangeError
        If a type or parameter is unknown or has no prior, a value to fit is not above 0, or an option is out of
        range.
    ShapeError
        If there are no towers, or fewer than 12 months with known GPP and forcing.

    Notes
    -----
    Least squares with exact derivatives and a soft L1 loss, which changes from quadratic to linear at two
    standard deviations; priors remain quadratic. Bounds are the valid ranges of `gppcore.variables`. Standard
    deviations follow from the Gauss-Newton approximation at the optimum.
    """
    check_type("towers", towers, Towers, "read_towers(folder)")
    pfts = PFTS if pfts is None else pfts
    n_threads = threads(n_threads)
    from scipy.optimize import least_squares

    _check(pfts, parameters, priors, residual_sd, correlation)
    used = _known(towers, pfts, n_threads)
    problem = Problem.of(used, pfts, parameters, priors, residual_sd, correlation, n_threads)
    start = np.zeros(problem.prior.shape[1])
    fit = least_squares(
        problem.residuals,
        start,
        problem.jacobian,
        bounds=problem.bounds,
        loss=problem.loss,
        ftol=_TOLERANCE,
        xtol=_TOLERANCE,
        gtol=_TOLERANCE,
    )
    log_sd = np.sqrt(np.diag(np.linalg.inv(fit.jac.T @ fit.jac)))
    fitted = problem.types(fit.x)
    estimates: dict[str, dict[str, Estimate]] = {name: {} for name in pfts}
    for j, (name, parameter) in enumerate(problem.fitted, start=len(problem.common)):
        value = getattr(fitted[name], parameter)
        estimates[name][parameter] = Estimate(getattr(pfts[name], parameter), value, float(value * log_sd[j]))
    return Calibration(
        pfts=fitted,
        estimates=estimates,
        cost_before=problem.cost(start),
        cost_after=problem.cost(fit.x),
        sites=tuple(sorted(set(used.gpp["site_id"]))),
        rows=len(used.gpp),
        evaluations=int(fit.nfev),
        message=str(fit.message),
    )


def _check(
    pfts: Types, parameters: Sequence[str], priors: Mapping[str, Prior], residual_sd: float, correlation: float
) -> None:
    if not parameters or isinstance(parameters, str):
        raise RangeError(f"parameters: expected a sequence of names out of {list(PRIORS)}, got {parameters!r}")
    if unknown := sorted(set(parameters) - set(PRIORS)):
        raise RangeError(f"parameters: expected names out of {list(PRIORS)}, got {unknown}")
    if missing := sorted(set(parameters) - set(priors)):
        raise RangeError(f"priors: expected a prior of every parameter, got none of {missing}")
    for name, pft in pfts.items():
        for parameter in parameters:
            if not (value := getattr(pft, parameter)) > 0.0:
                raise RangeError(f"{parameter} of {name}: expected a value above 0 to multiply, got {value}")
    if not residual_sd > 0.0:
        raise RangeError(f"residual_sd: expected a value above 0, got {residual_sd}")
    if not 0.0 <= correlation <= 1.0:
        raise RangeError(f"correlation: expected 0 to 1, got {correlation}")


def _known(towers: Towers, pfts: Types, n_threads: int) -> Towers:
    """Return the towers with only the months that have GPP and forcing."""
    hours = TowerHours.of(towers)
    check_types(hours, pfts)
    known = np.isfinite(hours.gpp(pfts, n_threads)) & np.isfinite(towers.gpp["gpp_daily"].to_numpy(float))
    if known.sum() < _MIN_ROWS:
        raise ShapeError(
            f"towers: expected at least {_MIN_ROWS} months with GPP and forcing, got {known.sum()} "
            f"at {len(towers.sites)} towers"
        )
    return towers.rows(known)


@dataclass(frozen=True)
class Problem:
    """Residuals and their derivatives by x: log multipliers, common ones first, then those of types."""

    hours: TowerHours
    gpp: Float
    weight: Float
    """Of the tower months; residuals are multiplied by its square root."""
    residual_sd: float
    pfts: Types
    parameters: Sequence[str]
    priors: Mapping[str, Prior]
    n_threads: int

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
    ) -> Problem:
        """Set up the problem of towers whose months all have GPP and forcing."""
        weight = independent_rows(towers.row_clusters, correlation)
        gpp = towers.gpp["gpp_daily"].to_numpy(float)
        return cls(TowerHours.of(towers), gpp, weight, residual_sd, pfts, parameters, priors, n_threads)

    @cached_property
    def fitted(self) -> list[tuple[str, str]]:
        """Type and parameter of the multipliers."""
        return [(name, parameter) for name in self.pfts for parameter in self.parameters]

    @cached_property
    def common(self) -> list[tuple[str, str]]:
        """Pathway and parameter of the common multipliers."""
        return sorted({(self.pfts[name].pathway, parameter) for name, parameter in self.fitted})

    @cached_property
    def prior(self) -> Float:
        """Matrix whose product with x holds the residuals of the priors."""
        n = len(self.common)
        matrix = np.zeros((n + len(self.fitted),) * 2)
        for j, (_, parameter) in enumerate(self.common):
            matrix[j, j] = 1.0 / self.priors[parameter].common_sd
        for j, (name, parameter) in enumerate(self.fitted, start=n):
            matrix[j, j] = 1.0 / self.priors[parameter].type_sd
            matrix[j, self.common.index((self.pfts[name].pathway, parameter))] = -matrix[j, j]
        return matrix

    @cached_property
    def bounds(self) -> tuple[Float, Float]:
        """Lowest and highest x: log multipliers that keep the parameters in their valid ranges."""
        n = len(self.common)
        value = [getattr(self.pfts[name], parameter) for name, parameter in self.fitted]
        limits = np.array([VARIABLES[parameter].valid_range for _, parameter in self.fitted])
        with np.errstate(divide="ignore"):
            low, high = np.log(limits.T / value)
        return np.append(np.full(n, -np.inf), low), np.append(np.full(n, np.inf), high)

    def types(self, x: Float) -> dict[str, PlantFunctionalType]:
        """Return the types with multiplied parameters."""
        changed: dict[str, dict[str, Any]] = {name: {} for name in self.pfts}
        for (name, parameter), log in zip(self.fitted, x[len(self.common) :], strict=True):
            # Rounding must not move a value at its bound beyond it.
            value = np.clip(getattr(self.pfts[name], parameter) * np.exp(log), *VARIABLES[parameter].valid_range)
            changed[name][parameter] = float(value)
        return {name: replace(pft, **changed[name]) for name, pft in self.pfts.items()}

    def residuals(self, x: Float) -> Float:
        """Return mismatch over standard deviation of the tower months, then of the priors."""
        mismatch = self.hours.gpp(self.types(x), self.n_threads) - self.gpp
        return np.append(mismatch * (np.sqrt(self.weight) / self.residual_sd), self.prior @ x)

    def jacobian(self, x: Float) -> Float:
        """Return the derivatives of :meth:`residuals` by x."""
        types, rows = self.types(x), np.zeros((len(self.gpp), x.size))
        column = {key: j for j, key in enumerate(self.fitted, start=len(self.common))}
        for part in self.hours.types:
            pft = types[part.name]
            for parameter, slope in zip(
                self.parameters, part.gradient(pft, self.parameters, self.n_threads), strict=True
            ):
                rows[part.rows, column[part.name, parameter]] += slope * getattr(pft, parameter)
        return np.concatenate([rows * (np.sqrt(self.weight) / self.residual_sd)[:, None], self.prior])

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
