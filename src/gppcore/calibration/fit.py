"""Calibration: parameters of the plant functional types fitted to tower GPP, with exact derivatives and priors.

Every parameter of every type gets a multiplier, whose logarithm has a hierarchical Gaussian prior: the types of a
photosynthetic pathway scatter around a common multiplier, and that scatters around 1. Types with
many towers follow their towers; types without follow the others.

Vcmax25 also follows predictors of the place, with slopes that types share; what is peculiar to a tower
is fitted beside them and dropped, so that it bends neither types nor slopes.

References
----------
.. [1] Kish, L. (1965) Survey Sampling (design effect of clusters).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from threadpoolctl import threadpool_limits

from gppcore.arrays import check_type
from gppcore.calibration.priors import PRIORS, Prior, tightened
from gppcore.calibration.problem import Problem, Types
from gppcore.calibration.result import Calibration, Estimate
from gppcore.constants import PFTS
from gppcore.errors import RangeError, ShapeError
from gppcore.runtime import threads
from gppcore.statistics import CORRELATION
from gppcore.towers import Towers
from gppcore.towers.process import COVARIATES, TowerHours, check_types

_MIN_ROWS = 12
_TOLERANCE = 1e-8


def calibrate(
    towers: Towers,
    *,
    pfts: Types | None = None,
    parameters: Sequence[str] = ("vcmax25",),
    covariates: Sequence[str] | None = None,
    priors: Mapping[str, Prior] | None = None,
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
    covariates : sequence of str, optional
        Predictors of the place, in the forcing of the towers, that Vcmax25 follows. By default those of
        `gppcore.towers.process.COVARIATES` that the forcing has; an empty sequence: Vcmax25 depends on the type alone.
    priors : mapping of str to Prior, optional
        Priors of these parameters. By default those of `PRIORS`; with covariates, whose slopes few towers determine
        badly, tightened where there are few clusters (`gppcore.calibration.priors.tightened`).
    residual_sd : float, default 2
        Standard deviation of tower months around the fitted model [g m-2 d-1], above 0. The default is that of
        109 real towers.
    correlation : float, default 0.3
        Correlation of these mismatches within a cluster of towers [1], 0 to 1: n months of a cluster count as
        n / (1 + (n - 1) correlation) independent ones [1]_, so that long records do not dominate many short ones. The
        default is that of the same towers. Not used with covariates: the effects of the towers explain most of it.
    n_threads : int, optional
        Threads of the kernel; all usable cores by default. The result does not depend on it.

    Returns
    -------
    Calibration
        Parameters of all types in `pfts`, with standard deviations; as :class:`gppcore.CalibratedParameters` if
        Vcmax25 follows covariates.

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

    Examples
    --------
    >>> from gppcore import calibrate
    >>> from gppcore.demo.towers import demonstration_towers
    >>> fit = calibrate(demonstration_towers(45, 48, 5, 12), parameters=["vcmax25", "g1"])
    >>> found = fit.estimates["enf"]["vcmax25"]
    >>> round(found.before, 1), round(found.value, 1)
    (62.5, 70.7)
    """
    check_type("towers", towers, Towers, "read_towers(folder)")
    pfts = PFTS if pfts is None else pfts
    n_threads = threads(n_threads)
    from scipy.optimize import least_squares

    _check(pfts, parameters, PRIORS if priors is None else priors, residual_sd, correlation)
    followed = _followed(towers, parameters, covariates)
    used = _known(towers, pfts, n_threads)
    if priors is None:
        priors = tightened(len(np.unique(used.row_clusters))) if followed else PRIORS
    problem = Problem.of(used, pfts, parameters, priors, residual_sd, correlation, n_threads, followed)
    start = np.zeros(problem.prior.shape[1])
    with threadpool_limits(1, "blas"):  # its results depend on its threads
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
        covariance = np.linalg.inv(fit.jac.T @ fit.jac)
    log_sd = np.sqrt(np.diag(covariance))
    fitted = problem.types(fit.x)
    estimates: dict[str, dict[str, Estimate]] = {name: {} for name in pfts}
    for j, (name, parameter) in enumerate(problem.fitted, start=len(problem.common)):
        value = getattr(fitted[name], parameter)
        estimates[name][parameter] = Estimate(getattr(pfts[name], parameter), value, float(value * log_sd[j]))
    return Calibration(
        pfts=problem.parameters_at(fit.x, covariance),
        estimates=estimates,
        cost_before=problem.cost(start),
        cost_after=problem.cost(fit.x),
        sites=tuple(sorted(set(used.gpp["site_id"]))),
        rows=len(used.gpp),
        evaluations=int(fit.nfev),
        message=str(fit.message),
    )


def _followed(towers: Towers, parameters: Sequence[str], covariates: Sequence[str] | None) -> Sequence[str]:
    """Return the covariates to use."""
    if covariates is None:
        return [name for name in COVARIATES if name in towers.forcing] if "vcmax25" in parameters else []
    if isinstance(covariates, str) or (unknown := sorted(set(covariates) - set(towers.forcing))):
        got = repr(covariates) if isinstance(covariates, str) else unknown
        raise RangeError(f"covariates: expected a sequence of names out of the forcing of the towers, got {got}")
    if covariates and "vcmax25" not in parameters:
        raise RangeError(f"covariates: expected vcmax25 among the parameters, which follows them, got {parameters}")
    return covariates


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
