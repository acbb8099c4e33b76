import numpy as np
import pytest

from gppcore.errors import RangeError, ShapeError
from gppcore.regrid import LatLonGrid, RegridPlan, conservation_report

SOURCE = LatLonGrid(np.linspace(90, -90, 37), np.linspace(-180, 180, 61))
TARGET = LatLonGrid(np.linspace(-90, 90, 11), np.linspace(0, 360, 18))


def field(dtype=np.float64):
    rng = np.random.default_rng(0)
    values = rng.gamma(2.0, size=(3, *SOURCE.shape)).astype(dtype)
    values[rng.random(values.shape) < 0.6] = np.nan
    return values


def test_mass_is_the_integral_over_the_sphere():
    values = field(np.float32)
    report = conservation_report(values, RegridPlan(SOURCE, TARGET).apply(values), SOURCE, TARGET)
    assert report.source_mass == pytest.approx(np.nansum(values * SOURCE.area), rel=1e-12)
    assert report.target_mass == pytest.approx(report.source_mass, rel=1e-7)
    assert report.relative_error <= 1e-7
    assert 0.0 < report.worst_cell <= 1.2e-7
    assert report.lost_mass == 0.0


def test_errors_are_seen():
    values = field()
    good = RegridPlan(SOURCE, TARGET).apply(values)
    report = conservation_report(values, 1.01 * good, SOURCE, TARGET)
    assert report.relative_error == pytest.approx(0.01, rel=1e-9)
    assert report.worst_cell == pytest.approx(0.01, rel=1e-9)
    bad = good.copy()
    bad[1, 4, 5] *= 3.0
    assert conservation_report(values, bad, SOURCE, TARGET).worst_cell == pytest.approx(2.0, rel=1e-9)


def test_mass_of_dropped_cells_is_told():
    values = field()
    plan = RegridPlan(SOURCE, TARGET)
    kept = conservation_report(values, plan.apply(values, min_valid=0.4), SOURCE, TARGET)
    assert kept.lost_mass > 0.0
    assert kept.source_mass + kept.lost_mass == pytest.approx(np.nansum(values * SOURCE.area), rel=1e-12)
    assert kept.relative_error <= 1e-14


def test_only_the_common_area_counts():
    window = LatLonGrid([0, 10.5, 20], [100.5, 130, 171])
    values = np.ones(SOURCE.shape)
    report = conservation_report(values, RegridPlan(SOURCE, window).apply(values), SOURCE, window)
    assert report.source_mass == pytest.approx(window.area.sum(), rel=1e-12)
    assert report.relative_error <= 1e-14


def test_report_refuses():
    values = field()
    with pytest.raises(RangeError, match="leading"):
        conservation_report(values, np.ones(TARGET.shape), SOURCE, TARGET)
    with pytest.raises(ShapeError, match="source"):
        conservation_report(values[:, 1:], values, SOURCE, TARGET)
