"""How errors of a model are alike at neighbouring places and months, so that sums and means have intervals.

Errors are taken relative to the half width of the interval of a month. Their covariance is

    c + r exp(-d / 2000 km) + sum over T of v_T (s [same place] + (1 - s) exp(-d / 300 km)) k_T(months)

with three parts T: what lasts (k = 1), what returns every season (periodic), and what passes (exponential in the months
between). A share s is local to a place; the rest reaches as far as weather and landscapes do. The common error c is
that of the mean of all towers, and r that of a region which is unlike the others. v_T, s and c are fitted to towers
held out of training; r and the ranges are those of 109 towers, r of continents that were left out whole, which towers
left out one by one do not show.

References
----------
.. [1] Cressie, N. & Wikle, C.K. (2011) Statistics for Spatio-Temporal Data (sums of separable covariances).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from gppcore.towers.towers import distance_km
from gppcore.variables import MONTHS

Float = NDArray[np.float64]
Index = NDArray[np.int64]

RANGE_KM, REGION_KM = 300.0, 2000.0
"""Distances over which errors of different places, and of different regions, fall by a factor e."""
REGIONAL = 0.02
"""Variance of the error of a region."""
LOCAL_KM = 5.0
"""The same of what is local: about one cell of 0.05 degrees."""
SEASON_MONTHS, PASSING_MONTHS = 1.5, 1.5
_PRIOR_SHARE, _PRIOR_PAIRS = 0.5, 20.0
_THINNED = 1.5  # a tower of n months counts as n^0.5: months of a tower are alike
_NODES, _NODE_WEIGHTS = np.polynomial.legendre.leggauss(12)


@dataclass(frozen=True)
class ErrorCovariance:
    """Covariance of errors relative to the half width of the 90 % interval of a month.

    Parameters
    ----------
    common : float
        Variance of the error that all places share [1].
    regional : float
        Variance of the error of a region [1].
    lasting, season, passing : float
        Variances at one place of what lasts, returns every season, and passes within months [1].
    local : float
        Share of the three that ends within a few kilometres, 0 to 1.

    Examples
    --------
    >>> import numpy as np
    >>> from gppcore.transfer.error_covariance import ErrorCovariance
    >>> errors = ErrorCovariance(0.004, 0.02, lasting=0.12, season=0.16, passing=0.3, local=0.5)
    >>> year = errors.months(np.arange(12))
    >>> one = sum(part.mean() for part in year) + errors.common + errors.regional  # of a yearly mean at one place
    >>> round(float(np.sqrt(one)), 2)
    0.52
    """

    common: float
    regional: float
    lasting: float
    season: float
    passing: float
    local: float

    @classmethod
    def from_card(cls, content: Mapping[str, float]) -> ErrorCovariance:
        """Return what :meth:`to_card` gave."""
        return cls(**{name: float(value) for name, value in content.items()})

    def to_card(self) -> dict[str, float]:
        """Return the numbers as the card of a model keeps them."""
        return asdict(self)

    def months(self, month: Index) -> tuple[Float, Float, Float]:
        """Return the covariance at one place of the three parts, each of shape (months, months).

        `month` counts months from any January on; see ``calendar``.
        """
        lasting, season, passing = _kernels(np.abs(month[:, None] - month))
        return self.lasting * lasting, self.season * season, self.passing * passing

    def between(self, lat: Float, lon: Float, month: Index, place: NDArray[np.generic]) -> Float:
        """Return the covariance of months at single places, shape (n, n); `place` tells which are the same."""
        apart = distances(lat, lon)
        near = np.exp(-apart / RANGE_KM)
        alike = np.where(place[:, None] == place, 1.0, (1.0 - self.local) * near)
        return np.asarray(self.common + self.regional * np.exp(-apart / REGION_KM) + alike * sum(self.months(month)))


def calendar(year: NDArray[np.generic], month: NDArray[np.generic]) -> Index:
    """Return the number of months since January of year 0."""
    return np.asarray(year, dtype=np.int64) * MONTHS + np.asarray(month, dtype=np.int64) - 1


def distances(lat: Float, lon: Float) -> Float:
    """Return great-circle distances [km] of all pairs of places [degree], shape (n, n)."""
    places = {"lat": lat, "lon": lon}
    return distance_km(places, places)


def within_square(side_km: Float, range_km: float) -> Float:
    """Return the mean of ``exp(-distance / range_km)`` of two points in squares of a side [km]."""
    u, weight = 0.5 * (_NODES + 1.0), 0.5 * _NODE_WEIGHTS * 2.0 * (1.0 - 0.5 * (_NODES + 1.0))
    reach = np.sqrt(u[:, None] ** 2 + u**2)
    both = weight[:, None] * weight
    ratio = np.asarray(side_km, dtype=np.float64)[..., None, None] / range_km
    return np.asarray((both * np.exp(-ratio * reach)).sum(axis=(-2, -1)))


def fit_errors(
    relative: Float, lat: Float, lon: Float, month: Index, site: NDArray[np.generic], fold: NDArray[np.generic]
) -> ErrorCovariance:
    """Fit the covariance to errors at towers held out of training.

    Parameters
    ----------
    relative : ndarray, shape (n,)
        Tower minus predicted GPP over the half width of the interval of the month.
    lat, lon : ndarray, shape (n,)
        Place of the tower [degree].
    month : ndarray of int, shape (n,)
        See ``calendar``.
    site, fold : ndarray, shape (n,)
        Tower, and group of towers that were held out together: errors of towers that were in each other's training
        tell nothing of how alike they are elsewhere.

    Notes
    -----
    The variances are non-negative least squares of mean products of pairs of months of a tower. The local share is the
    least-squares one of products of mean errors of neighbouring towers, with a prior of one half that counts as 20
    pairs.
    """
    from scipy.optimize import nnls

    names, of_row = np.unique(site, return_inverse=True)
    rows, products = [], []
    for k in range(len(names)):
        own = np.flatnonzero(of_row == k)
        apart = np.abs(month[own][:, None] - month[own])
        product = np.outer(relative[own], relative[own])
        lag, index = np.unique(apart, return_inverse=True)
        pairs = np.bincount(index.ravel())
        mean = np.bincount(index.ravel(), product.ravel()) / pairs
        root = np.sqrt(pairs / len(own) ** _THINNED)
        rows.append(np.stack(_kernels(lag), axis=1) * root[:, None])
        products.append(mean * root)
    lasting, season, passing = (float(v) for v in nnls(np.concatenate(rows), np.concatenate(products))[0])
    alone = ErrorCovariance(0.0, 0.0, lasting, season, passing, 1.0)
    count = np.bincount(of_row)
    mean = np.bincount(of_row, relative) / count
    first = np.unique(of_row, return_index=True)[1]
    own_variance = np.array([sum(part.mean() for part in alone.months(month[of_row == k])) for k in range(len(names))])
    near = np.exp(-distances(lat[first], lon[first]) / RANGE_KM)
    pairs_of = np.triu(fold[first][:, None] == fold[first], 1)
    expected = (near * np.sqrt(np.outer(own_variance, own_variance)))[pairs_of]
    typical = float(np.mean(own_variance)) ** 2 * _PRIOR_PAIRS
    found = float(expected @ np.outer(mean, mean)[pairs_of] + (1.0 - _PRIOR_SHARE) * typical)
    share = min(max(found / (float(expected @ expected) + typical), 0.0), 1.0) if typical > 0.0 else 0.0
    covariance = share * near * np.sqrt(np.outer(own_variance, own_variance))
    covariance[np.diag_indices(len(names))] = own_variance
    return ErrorCovariance(_variance_of_mean(covariance), REGIONAL, lasting, season, passing, 1.0 - share)


def _variance_of_mean(covariance: Float) -> float:
    """Return the variance of the best weighted mean of correlated values."""
    from scipy.linalg import solve

    n = len(covariance)
    if not covariance.any():
        return 0.0
    with threadpool_limits(1, "blas"):  # its results depend on its threads
        jitter = 1e-9 * float(np.trace(covariance)) / n
        weight = solve(covariance + jitter * np.eye(n), np.ones(n), assume_a="pos")
    return float(1.0 / weight.sum())


def _kernels(apart: NDArray[np.int64]) -> tuple[Float, Float, Float]:
    """Return how alike months so far apart are, for each part."""
    turn = 2.0 * np.pi / MONTHS
    season = np.exp((np.cos(turn * apart) - 1.0) / (turn * SEASON_MONTHS) ** 2)
    return np.ones(apart.shape), season, np.exp(-apart / PASSING_MONTHS)
