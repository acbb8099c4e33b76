"""What a comparison of two GPP maps tells."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Agreement:
    """How well two maps agree in one region; cell-months weighted by area and days.

    Parameters
    ----------
    n : int
        Cell-months (cells, where annual means are compared).
    total, other_total : float
        GPP of both over the common cells [Pg C yr-1].
    r2 : float
        Share of the variance of `other` that the product explains, 1 - SSE / SST [1].
    correlation : float
        Pearson correlation [1].
    rmse, bias : float
        Root mean square and mean of product minus other [g C m-2 d-1].
    """

    n: int
    total: float
    other_total: float
    r2: float
    correlation: float
    rmse: float
    bias: float


@dataclass(frozen=True)
class Comparison:
    """A product set against another; `other` is the reference. A figure without data is NaN.

    Parameters
    ----------
    product, other : str
        Names of the two: file and variable.
    months : tuple of int
        Calendar months compared (1-12); empty where annual means are.
    resolution : tuple of float
        Cell height and width of the common grid, the coarser of the two [degree].
    own_total, other_own_total : float
        GPP over each one's own valid cells inside the overlap of the two grids [Pg C yr-1].
    whole, tropics, outside : Agreement
        All common cells, those with abs(lat) < 23.5 degrees, and the rest.
    high_bias, low_bias : float
        Mean of product minus other where the mean flux of `other` is in its top tenth and in its bottom
        quarter by area [g C m-2 d-1].
    lat : ndarray (n,)
        Centres of the rows of the common grid, descending [degrees north].
    zonal, other_zonal : ndarray (n,)
        Zonal means of both over the common cells [g C m-2 yr-1].
    """

    product: str
    other: str
    months: tuple[int, ...]
    resolution: tuple[float, float]
    own_total: float
    other_own_total: float
    whole: Agreement
    tropics: Agreement
    outside: Agreement
    high_bias: float
    low_bias: float
    lat: Floats
    zonal: Floats
    other_zonal: Floats

    def as_dict(self) -> dict[str, Any]:
        """Return the comparison as plain lists, numbers and None (for NaN), ready for JSON."""
        return {name: _plain(value) for name, value in asdict(self).items()}

    def table(self) -> list[tuple[str, str]]:
        """Return the headline figures as rows of label and value, for printing."""
        rows = [
            ("Product", self.product),
            ("Other (reference)", self.other),
            ("Compared", f"{len(self.months)} calendar months" if self.months else "annual means"),
            ("Common grid", f"{self.resolution[0]:.3g} x {self.resolution[1]:.3g} degrees"),
            ("Total, own cells", f"{self.own_total:.2f} against {self.other_own_total:.2f} Pg C yr-1"),
        ]
        for label, region in self.regions().items():
            rows += [
                (f"Total, {label}", f"{region.total:.2f} against {region.other_total:.2f} Pg C yr-1"),
                (f"R2, {label}", f"{region.r2:.3f} (correlation {region.correlation:.3f})"),
                (f"RMSE, {label}", f"{region.rmse:.3f} g C m-2 d-1"),
                (f"Bias, {label}", f"{region.bias:+.3f} g C m-2 d-1"),
            ]
        rows.append(("Bias, top tenth", f"{self.high_bias:+.3f} g C m-2 d-1"))
        rows.append(("Bias, bottom quarter", f"{self.low_bias:+.3f} g C m-2 d-1"))
        return rows

    def regions(self) -> dict[str, Agreement]:
        """Return the agreement by region: common cells, tropics, outside the tropics."""
        return {"common cells": self.whole, "tropics": self.tropics, "outside the tropics": self.outside}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (tuple, list, np.ndarray)):
        return [_plain(item) for item in value]
    if isinstance(value, (float, np.floating)):
        return float(value) if math.isfinite(value) else None
    return value
