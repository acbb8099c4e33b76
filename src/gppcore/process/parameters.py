"""Parameters of the process model that vary from place to place within a plant functional type."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gppcore.constants import C4_OF, PFT_NAMES, PlantFunctionalType
from gppcore.errors import CalibrationFormatError, RangeError, ShapeError
from gppcore.statistics import NORMAL_90
from gppcore.variables import VARIABLES

Float = NDArray[np.float64]

_FARTHEST = 3.0
"""Standard deviations from the mean of the towers beyond which a covariate has no further effect."""


@dataclass(frozen=True)
class Covariate:
    """Effect of a predictor of the place on the logarithm of Vcmax25.

    Parameters
    ----------
    name : str
        Predictor, for instance `aridity`.
    mean, sd : float
        Of the towers of the calibration, in the unit of the predictor; `sd` above 0.
    slope : float
        Change of log Vcmax25 per `sd`.
    """

    name: str
    mean: float
    sd: float
    slope: float

    def __post_init__(self) -> None:
        if not self.sd > 0.0 or not np.isfinite([self.mean, self.sd, self.slope]).all():
            raise RangeError(f"covariate {self.name}: expected finite numbers and sd above 0, got {self}")

    def standardised(self, values: ArrayLike) -> Float:
        """Return values less the mean over `sd`, within -3 and 3; 0, the mean, where they are unknown."""
        z = (np.asarray(values, dtype=np.float64) - self.mean) / self.sd
        return np.where(np.isfinite(z), np.clip(z, -_FARTHEST, _FARTHEST), 0.0)


@dataclass(frozen=True, repr=False)
class CalibratedParameters(Mapping[str, PlantFunctionalType]):
    """Types of the process model whose Vcmax25 follows the climate and the leaves of the place.

    It is a mapping of types, with Vcmax25 at the mean of the covariates, and goes wherever such a mapping goes
    (`simulate`, `process_gpp`, `source_rows`); there Vcmax25 of a type is multiplied by :meth:`factor`.

    Parameters
    ----------
    types : mapping of str to PlantFunctionalType
        Parameters at the mean of the covariates.
    covariates : tuple of Covariate
        Effects of the place.
    covariance : tuple of tuple of float, default ()
        Posterior covariance of log Vcmax25 of the types, in their order, and of the slopes of the covariates; empty if
        it is unknown.
    site_sd : float, default 0
        Standard deviation of log Vcmax25 of places that have the same type and covariates.

    Raises
    ------
    ShapeError
        If the covariance has another number of rows or columns than there are types and covariates.

    Examples
    --------
    >>> from gppcore import CalibratedParameters, calibrate
    >>> from gppcore.demo.towers import demonstration_towers
    >>> fit = calibrate(demonstration_towers(45, 48, 5, 12), parameters=["vcmax25"])
    >>> isinstance(fit.pfts, CalibratedParameters), fit.pfts.covariates[0].name
    (True, 'tair_growing')
    >>> round(fit.pfts["enf"].vcmax25, 1)
    70.8
    """

    types: Mapping[str, PlantFunctionalType]
    covariates: tuple[Covariate, ...] = ()
    covariance: tuple[tuple[float, ...], ...] = ()
    site_sd: float = 0.0

    def __post_init__(self) -> None:
        n = len(self.types) + len(self.covariates)
        if self.covariance and np.shape(self.covariance) != (n, n):
            raise ShapeError(
                f"covariance: expected shape {(n, n)}, that of {len(self.types)} types and {len(self.covariates)} "
                f"covariates, got {np.shape(self.covariance)}"
            )

    def __getitem__(self, name: str) -> PlantFunctionalType:
        return self.types[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.types)

    def __len__(self) -> int:
        return len(self.types)

    def __repr__(self) -> str:
        effects = ", ".join(f"{c.name} {c.slope:+.3f}" for c in self.covariates)
        return f"CalibratedParameters({len(self)} types; log vcmax25 per sd: {effects or 'no covariates'})"

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the covariates."""
        return tuple(c.name for c in self.covariates)

    def factor(self, place: Mapping[str, ArrayLike]) -> Float:
        """Return the factor on Vcmax25 [1] of places.

        Parameters
        ----------
        place : mapping of str to array_like
            Covariates by name, of any one shape, in the units of `gppcore.variables`; NaN is unknown.

        Raises
        ------
        ShapeError
            If a covariate is missing.
        """
        if missing := [name for name in self.names if name not in place]:
            raise ShapeError(
                f"parameters: expected the covariates {list(self.names)}, got none of {missing}; "
                "derive them (gppcore.features.derive), or use the parameters at their mean, `types`"
            )
        log = np.zeros(np.broadcast_shapes(*(np.shape(place[name]) for name in self.names)))
        for covariate in self.covariates:
            log = log + covariate.slope * covariate.standardised(place[covariate.name])
        return np.asarray(np.exp(log))

    def vcmax25(self, type_name: str, place: Mapping[str, ArrayLike]) -> Float:
        """Return Vcmax25 of a type [umol m-2 s-1] at places; see :meth:`factor`."""
        limits = VARIABLES["vcmax25"].valid_range
        return np.asarray(np.clip(self.types[type_name].vcmax25 * self.factor(place), *limits))

    def canopy_vcmax25(self, place: Mapping[str, ArrayLike]) -> tuple[Float, Float, Float]:
        """Return Vcmax25 of places where several types grow, with its 90 % interval [umol m-2 s-1].

        Parameters
        ----------
        place : mapping of str to array_like
            Area shares of the types, `fraction_<pft>` [1]; the C4 share of grass and crop, `c4_fraction` [1]; and the
            covariates. A share that is missing or unknown is 0, a covariate that is unknown has its mean.

        Returns
        -------
        tuple of ndarray
            The mean over the types, and the 5 % and 95 % quantiles of what a tower in such a place would be found to
            have; NaN where no type grows.

        Raises
        ------
        RangeError
            If the parameters have no covariance.
        ShapeError
            If a covariate is missing.

        Notes
        -----
        log Vcmax25 is taken for Gaussian and linear in the parameters around their estimates. Its variance is that of
        the parameters plus `site_sd` squared.
        """
        if not self.covariance:
            raise RangeError(
                "parameters: expected those of a calibration that kept its covariance, got none; calibrate again"
            )
        shares = _shares(place)
        part = {name: shares[name] * self.vcmax25(name, place) for name in self.types if name in shares}
        total, grown = sum(part.values(), np.zeros(())), sum((shares[name] for name in part), np.zeros(()))
        with np.errstate(invalid="ignore"):  # 0 / 0 where no type grows
            mean = total / grown
            slopes = [part[name] / total if name in part else np.zeros_like(total) for name in self.types]
        slopes += [np.broadcast_to(c.standardised(place[c.name]), total.shape) for c in self.covariates]
        variance = np.full(total.shape, self.site_sd**2)
        for row, by_row in zip(self.covariance, slopes, strict=True):
            for element, by_column in zip(row, slopes, strict=True):
                variance += element * by_row * by_column
        reach = np.exp(NORMAL_90 * np.sqrt(variance))
        limits = VARIABLES["vcmax25"].valid_range
        return mean, np.clip(mean / reach, *limits), np.clip(mean * reach, *limits)

    def to_json(self) -> dict[str, Any]:
        """Return the content for JSON."""
        return {
            "types": {name: asdict(pft) for name, pft in self.types.items()},
            "covariates": [asdict(c) for c in self.covariates],
            "covariance": [list(row) for row in self.covariance],
            "site_sd": self.site_sd,
        }

    @classmethod
    def from_json(cls, content: Any) -> CalibratedParameters:
        """Return what :meth:`to_json` gave.

        Raises
        ------
        CalibrationFormatError
            If the content is something else.
        """
        try:
            types = {name: PlantFunctionalType(**pft) for name, pft in content["types"].items()}
            covariates = tuple(Covariate(**c) for c in content["covariates"])
            covariance = tuple(tuple(map(float, row)) for row in content.get("covariance", ()))
            return cls(types, covariates, covariance, float(content.get("site_sd", 0.0)))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise CalibrationFormatError(f"parameters: expected calibrated parameters, got {error!r}") from error


def _shares(place: Mapping[str, ArrayLike]) -> dict[str, Float]:
    """Return the area shares of the types at places, C3 and C4 apart."""
    known = {name: f"fraction_{name}" for name in PFT_NAMES if f"fraction_{name}" in place}
    found = {name: np.nan_to_num(np.asarray(place[column], dtype=np.float64)) for name, column in known.items()}
    c4 = np.nan_to_num(np.asarray(place.get("c4_fraction", 0.0), dtype=np.float64))
    for name in C4_OF.keys() & found:
        found |= {C4_OF[name]: found[name] * c4, name: found[name] * (1.0 - c4)}
    return found


def covariates_of(pfts: Mapping[str, PlantFunctionalType]) -> tuple[str, ...]:
    """Return the covariates of types; none where they are the same everywhere."""
    return pfts.names if isinstance(pfts, CalibratedParameters) else ()


def vcmax25_of(pfts: Mapping[str, PlantFunctionalType], type_name: str, place: Mapping[str, ArrayLike]) -> Float | None:
    """Return Vcmax25 of a type at places, or None where it is the same everywhere."""
    if isinstance(pfts, CalibratedParameters) and pfts.covariates:
        return pfts.vcmax25(type_name, place)
    return None
