"""Weights along one axis, on grids small enough to work out by hand."""

import numpy as np

from gppcore.regrid import LatLonGrid
from gppcore.regrid.weights import interpolation, overlaps

EQUATOR = [-10, 10]


def cells(weights, i, n):
    """Return the weight by source cell of one target cell."""
    begin, end = weights.offset[i : i + 2]
    return {int((weights.first[i] + k) % n): float(w) for k, w in enumerate(weights.weight[begin:end])}


def test_columns_overlap_by_degrees_across_the_seam():
    _, lon = overlaps(LatLonGrid(EQUATOR, [350, 365, 380]), LatLonGrid(EQUATOR, np.linspace(0, 360, 5)))
    assert cells(lon, 0, 4) == {3: 10.0, 0: 5.0}
    assert cells(lon, 1, 4) == {0: 15.0}
    assert lon.full.tolist() == [15.0, 15.0]


def test_rows_overlap_by_sines_in_the_order_of_the_source():
    source = LatLonGrid([90, 30, 0, -90], [0, 360])
    lat, _ = overlaps(LatLonGrid([-90, 90], [0, 360]), source)
    np.testing.assert_allclose([cells(lat, 0, 3)[k] for k in range(3)], [0.5, 0.5, 1.0], rtol=1e-15)


def test_interpolation_weighs_by_distance_and_holds_the_outermost_value():
    source = LatLonGrid([0, 10, 20], [0, 10, 20])  # centres 5 and 15
    lat, lon = interpolation(LatLonGrid([6, 9, 18], [1, 3, 15]), source)  # centres 7.5, 13.5 and 2, 9
    np.testing.assert_allclose([*cells(lat, 0, 2).values()], [0.75, 0.25])
    np.testing.assert_allclose([*cells(lat, 1, 2).values()], [0.15, 0.85])
    assert cells(lon, 0, 2) == {0: 1.0}
    np.testing.assert_allclose([*cells(lon, 1, 2).values()], [0.6, 0.4])


def test_cells_outside_the_source_take_nothing():
    lat, _ = overlaps(LatLonGrid([40, 50], [0, 10]), LatLonGrid([0, 10], [0, 10]))
    assert cells(lat, 0, 1) == {}
