"""Charts draw the numbers that they are given, on the axes that they are given."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from gppcore import plot
from gppcore.errors import RangeError, ShapeError


def axes(**options):
    return Figure().add_subplot(**options)


def test_all_charts_draw_on_the_given_axes():
    cycle, lat = np.arange(12.0), np.linspace(-50, 70, 12)
    drawn = {
        "zonal": lambda ax: plot.zonal(lat, {"process": cycle}, ax=ax),
        "season": lambda ax: plot.season({"process": cycle}, ax=ax),
        "years": lambda ax: plot.years({"process": {2001: 1.0, 2002: 2.0}}, ax=ax),
        "learning_curve": lambda ax: plot.learning_curve([1, 2], {"process": [0.1, 0.2]}, ax=ax),
        "response": lambda ax: plot.response([1, 2], [3, 4], "LAI", ax=ax),
        "scatter": lambda ax: plot.scatter(cycle, cycle, ax=ax),
        "reliability": lambda ax: plot.reliability([0.5], [0.4], ax=ax),
        "bars": lambda ax: plot.bars(["a"], {"process": [1.0]}, label="R2", ax=ax),
        "intervals": lambda ax: plot.intervals({"a": (1.0, 0.5, 1.5)}, label="R2", ax=ax),
        "coverage": lambda ax: plot.coverage(pd.DataFrame({2004: [12]}, index=["A"]), ax=ax),
    }
    for name, draw in drawn.items():
        ax = axes()
        assert draw(ax) is ax, name
        assert ax.has_data(), name


def test_methods_and_references_look_the_same_everywhere():
    lat = np.array([-10.0, 10.0])
    one = plot.zonal(lat, {"transfer": lat, "observed": lat}, ax=axes()).lines
    two = plot.season({"observed": np.ones(12), "transfer": np.ones(12)}, ax=axes()).lines
    assert one[0].get_color() == two[1].get_color() == "#0072B2"
    assert one[1].get_color() == two[0].get_color() == "black"
    named = plot.season({"FLUXCOM": np.ones(12), "map": np.ones(12)}, reference="FLUXCOM", ax=axes()).lines
    assert named[0].get_color() == "black"
    assert named[1].get_color() == "#0072B2"


def test_bands_reach_from_low_to_high():
    line = np.ones(12)
    ax = plot.season({"transfer": line}, intervals={"transfer": (line - 0.5, line + 1)}, ax=axes())
    (band,) = ax.collections
    assert band.get_paths()[0].get_extents().intervaly == pytest.approx([0.5, 2.0])


def test_trends_are_those_of_least_squares_from_five_years_on():
    totals = {2000 + i: 100.0 + 0.5 * i for i in range(5)}
    assert plot.years({"map": totals}, ax=axes()).lines[0].get_label() == "map: +0.50 [+0.50, +0.50] per year"
    del totals[2004]
    assert plot.years({"map": totals}, ax=axes()).lines[0].get_label() == "map"
    rng = np.random.default_rng(0)
    covered = 0
    for _ in range(400):
        noisy = {2000 + i: 0.3 * i + float(rng.normal()) for i in range(8)}
        text = plot.years({"map": noisy}, ax=axes()).lines[0].get_label()
        low, high = text.split("[")[1].split("]")[0].split(", ")
        covered += float(low) <= 0.3 <= float(high)
    assert covered / 400 == pytest.approx(0.9, abs=0.05)


def test_scatter_counts_pairs_and_tells_their_skill():
    x = np.array([1.0, 2.0, 3.0, np.nan])
    ax = plot.scatter(x, x + 0.5, count=[1, 5, 1, 9], ax=axes())
    assert ax.texts[0].get_text() == plot.skill_text(np.repeat(x[:3], [1, 5, 1]), np.repeat(x[:3] + 0.5, [1, 5, 1]))
    counts = np.asarray(ax.collections[0].get_array())
    assert sorted(counts) == [1, 1, 5]
    one, two = plot.scatter([1.0], [1.0], ax=axes()), plot.scatter([1.0] * 50, [1.0] * 50, ax=axes())
    plot.share_density([one], "pairs")
    assert one.collections[0].norm.vmax == 2
    assert two.collections[0].norm.vmax == 50


def test_taylor_places_points_by_correlation_and_deviation():
    ax = plot.taylor({"against": (-0.5, 0.8), "with": (0.9, 1.1)}, ax=axes(projection="polar"))
    points = {line.get_label(): line.get_xydata()[0] for line in ax.lines if line.get_label() in ("against", "with")}
    assert np.cos(points["against"][0]) == pytest.approx(-0.5)
    assert points["with"][1] == 1.1
    assert ax.get_thetamax() == 180.0


def test_bars_stand_side_by_side_and_may_be_cut():
    ax = plot.bars(["a", "b"], {"direct": [0.5, -9.0], "transfer": [0.6, np.nan]}, label="R2", least=-0.5, ax=axes())
    heights = [[bar.get_height() for bar in group] for group in ax.containers]
    assert heights[0] == [0.5, -0.5]
    assert ax.containers[0][0].get_x() < ax.containers[1][0].get_x()


def test_intervals_that_hold_zero_are_grey():
    rows = {"better": (0.2, 0.1, 0.3), "same": (0.1, -0.1, 0.3), "worse": (-0.2, -0.3, -0.1)}
    colours = [line.get_color() for line in plot.intervals(rows, label="R2", ax=axes()).lines[:6:2]]
    assert len(set(colours)) == 3


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda: plot.zonal([0.0, 1.0], {"a": [1.0]}, ax=axes()),
            ShapeError,
            r"lines\['a'\]: expected the shape of lat",
        ),
        (lambda: plot.season({}, ax=axes()), ShapeError, "one line or more"),
        (lambda: plot.learning_curve([0, 5], {"a": [1, 2]}, ax=axes()), RangeError, "ascending numbers from 1 on"),
        (lambda: plot.scatter([1.0], [np.nan], ax=axes()), RangeError, "one finite pair"),
        (lambda: plot.scatter([1.0], [1.0, 2.0], ax=axes()), ShapeError, "y: expected one dimension"),
        (lambda: plot.taylor({"a": (1.5, 1.0)}, ax=axes(projection="polar")), RangeError, "correlation of -1 to 1"),
        (lambda: plot.taylor({"a": (0.5, 1.0)}, ax=axes()), ShapeError, "expected polar axes"),
        (lambda: plot.reliability([0.5], [1.5], ax=axes()), RangeError, "shares of 0 to 1"),
        (lambda: plot.reliability([0.5], [0.1, 0.2], ax=axes()), ShapeError, "the shape of nominal"),
        (lambda: plot.bars(["a"], {"m": [1, 2]}, label="x", ax=axes()), ShapeError, "one number for each of 1 groups"),
    ],
)
def test_wrong_input_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()
