"""Parameters of the process model that vary from place to place within a plant functional type."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gppcore.constants import PlantFunctionalType
from gppcore.errors import CalibrationFormatError, RangeError, ShapeError
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

    def to_json(self) -> dict[str, Any]:
        """Return the content for JSON."""
        return {
            "types": {name: asdict(pft) for name, pft in self.types.items()},
            "covariates": [asdict(c) for c in self.covariates],
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
            return cls(types, tuple(Covariate(**c) for c in content["covariates"]))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise CalibrationFormatError(f"parameters: expected calibrated parameters, got {error!r}") from error


def covariates_of(pfts: Mapping[str, PlantFunctionalType]) -> tuple[str, ...]:
    """Return the covariates of types; none where they are the same everywhere."""
    return pfts.names if isinstance(pfts, CalibratedParameters) else ()


def vcmax25_of(pfts: Mapping[str, PlantFunctionalType], type_name: str, place: Mapping[str, ArrayLike]) -> Float | None:
    """Return Vcmax25 of a type at places, or None where it is the same everywhere."""
    if isinstance(pfts, CalibratedParameters) and pfts.covariates:
        return pfts.vcmax25(type_name, place)
    return None
