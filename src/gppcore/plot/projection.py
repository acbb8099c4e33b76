"""Two equal-area projections: Equal Earth for the globe, a cylinder that touches the middle of a window."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[Any]

_A = (1.340264, -0.081106, 0.000893, 0.003796)
_HALF_ROOT = np.sqrt(3.0) / 2.0
_WIDEST = 200.0
"""Longitudes of a window on a cylinder [degree]; wider ones are mapped in Equal Earth."""


@dataclass(frozen=True)
class Window:
    """Edges of a map [degree]."""

    south: float
    north: float
    west: float
    east: float

    @property
    def is_globe(self) -> bool:
        """Whether the map is drawn in Equal Earth."""
        return self.east - self.west > _WIDEST


@dataclass(frozen=True)
class EqualEarth:
    """Equal Earth (Savric, Patterson and Jenny 2018, doi:10.1080/13658816.2018.1504949) on a sphere of radius 1.

    The central meridian is Greenwich: longitudes run from -180 to 180.
    """

    def forward(self, lat: Floats, lon: Floats) -> tuple[Floats, Floats]:
        """Return x and y of latitude and longitude [degree]."""
        theta = np.arcsin(_HALF_ROOT * np.sin(np.deg2rad(lat)))
        return np.deg2rad(lon) * np.cos(theta) / (_HALF_ROOT * _slope(theta)), _height(theta)

    def inverse(self, x: Floats, y: Floats) -> tuple[Floats, Floats]:
        """Return latitude and longitude [degree], NaN beyond the outline."""
        theta = np.clip(y / _A[0], -1.0, 1.0)
        for _ in range(8):  # Newton's steps; 5 reach double precision up to the poles
            theta = theta - (_height(theta) - y) / _slope(theta)
        sine = np.sin(theta) / _HALF_ROOT
        lat = np.rad2deg(np.arcsin(np.where(np.abs(sine) <= 1.0, sine, np.nan)))
        lon = np.rad2deg(x * _HALF_ROOT * _slope(theta) / np.cos(theta))
        return lat, np.where(np.abs(lon) <= 180.0, lon, np.nan)


@dataclass(frozen=True)
class Cylinder:
    """Cylindrical equal-area projection, true to shape at a latitude [degree]; meridians and parallels are straight."""

    true_lat: float

    @property
    def _stretch(self) -> float:
        return float(max(np.cos(np.deg2rad(self.true_lat)), 0.1))

    def forward(self, lat: Floats, lon: Floats) -> tuple[Floats, Floats]:
        """Return x and y of latitude and longitude [degree]."""
        return np.deg2rad(lon) * self._stretch, np.sin(np.deg2rad(lat)) / self._stretch

    def inverse(self, x: Floats, y: Floats) -> tuple[Floats, Floats]:
        """Return latitude and longitude [degree]."""
        return np.rad2deg(np.arcsin(np.clip(y * self._stretch, -1.0, 1.0))), np.rad2deg(x / self._stretch)


Projection = EqualEarth | Cylinder


def projection_of(window: Window) -> Projection:
    """Return the projection of a map."""
    return EqualEarth() if window.is_globe else Cylinder((window.south + window.north) / 2)


def _height(theta: Floats) -> Floats:
    return np.asarray(theta * (_A[0] + theta**2 * _A[1] + theta**6 * (_A[2] + theta**2 * _A[3])))


def _slope(theta: Floats) -> Floats:
    return np.asarray(_A[0] + 3 * _A[1] * theta**2 + theta**6 * (7 * _A[2] + 9 * _A[3] * theta**2))
