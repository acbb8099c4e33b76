"""Maps: projections conserve area, colours tell sea, unknown land and zero apart, towers lie where they stand."""

from itertools import pairwise

import matplotlib as mpl
import numpy as np
import pytest
import xarray as xr
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from gppcore import plot
from gppcore.errors import RangeError, ShapeError
from gppcore.plot import geography
from gppcore.plot.build_coastline import land_rings
from gppcore.plot.projection import Cylinder, EqualEarth, Window, projection_of
from gppcore.plot.style import COLOURS, DARK_PAPER, DIFFERENCE_COLOURS, GPP_COLOURS, PAPER


def axes(width=7.0):
    return Figure(figsize=(width, 4.2), layout="constrained").add_subplot()


def luminance(colour):
    rgb = np.array(to_rgb(colour))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def contrast(one, other):
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def world(step=2.0):
    lat, lon = np.arange(90 - step / 2, -90, -step), np.arange(-180 + step / 2, 180, step)
    return xr.DataArray(np.add.outer(lat, 0.1 * lon) + 110.0, coords={"lat": lat, "lon": lon}, dims=("lat", "lon"))


def test_equal_earth_has_the_published_extent():
    x, y = EqualEarth().forward(np.array([0.0, 90.0]), np.array([180.0, 0.0]))
    assert x[0] == pytest.approx(2.7066298, abs=1e-6)  # half the width and height of Savric et al. 2018, table 1
    assert y[1] == pytest.approx(1.3173628, abs=1e-6)


@pytest.mark.parametrize("projection", [EqualEarth(), Cylinder(47.5)])
def test_projections_conserve_area_and_invert(projection):
    rng = np.random.default_rng(0)
    lat, lon = rng.uniform(-88, 88, 500), rng.uniform(-179, 179, 500)
    back = projection.inverse(*projection.forward(lat, lon))
    np.testing.assert_allclose(back, (lat, lon), atol=1e-9)
    h = 1e-4
    east, west, north, south = (
        np.array(projection.forward(lat + dy, lon + dx)) for dy, dx in ((0, h), (0, -h), (h, 0), (-h, 0))
    )
    (xe, ye), (xn, yn) = (east - west) / np.deg2rad(2 * h), (north - south) / np.deg2rad(2 * h)
    np.testing.assert_allclose((xe * yn - xn * ye) / np.cos(np.deg2rad(lat)), 1.0, rtol=1e-6)


def test_places_beyond_the_outline_are_nowhere():
    lat, lon = EqualEarth().inverse(np.array([2.7, 0.0]), np.array([1.3, 1.4]))
    assert np.isnan(lon[0])
    assert np.isnan(lat[1])


def test_wide_fields_are_globes_and_windows_are_straight():
    assert isinstance(projection_of(Window(-90, 90, -180, 180)), EqualEarth)
    assert projection_of(Window(35, 60, -10, 30)) == Cylinder(47.5)


@pytest.mark.parametrize("order", [slice(None), slice(None, None, -1)])
def test_a_cell_is_drawn_at_its_place(order):
    ax = plot.map(world().isel(lat=order, lon=order), ax=axes())
    image = ax.images[0]
    west, east, south, north = image.get_extent()
    values = np.asarray(image.get_array())
    x, y = EqualEarth().forward(np.array([41.0, -35.0]), np.array([-99.0, 149.0]))
    column = ((x - west) / (east - west) * values.shape[1]).astype(int)
    row = ((y - south) / (north - south) * values.shape[0]).astype(int)
    np.testing.assert_allclose(values[row, column], [41.0 - 9.9 + 110, -35.0 + 14.9 + 110])


def test_longitudes_from_0_to_360_give_the_same_map():
    field = world()
    rolled = field.assign_coords(lon=field.lon % 360).sortby("lon")
    one, two = (plot.map(each, ax=axes()).images[0].get_array() for each in (field, rolled))
    assert np.mean(one.filled(0.0) != two.filled(0.0)) < 1e-4  # points on the edge of a cell


def test_a_fine_field_is_averaged_and_keeps_its_mean():
    field = world(0.25)
    noise = field.copy(data=np.random.default_rng(0).random(field.shape))
    image = np.asarray(plot.map(noise, ax=axes(1.0)).images[0].get_array())
    assert np.nanmean(image) == pytest.approx(0.5, abs=0.01)
    assert np.nanstd(image) < 0.2  # single cells would give 0.29


def test_unknown_land_is_told_in_a_key_and_known_land_needs_none():
    whole, half = world(), world().where(world().lon < 0)
    assert plot.map(whole, ax=axes()).get_legend() is None
    assert plot.map(half, ax=axes()).get_legend().get_texts()[0].get_text() == "land without data"


def test_gaps_beside_data_are_water_and_wide_ones_unknown_land():
    field = world(0.5)
    gaps = field.where(~((abs(field.lat - 20) < 0.5) & (abs(field.lon - 10) < 0.5)))
    gaps = gaps.where(~((abs(field.lat - 0) < 5) & (abs(field.lon - 22) < 5)))
    water = np.asarray(plot.map(gaps, ax=axes()).images[1].get_array().filled(0.0))
    west, east, south, north = plot.map(gaps, ax=axes()).images[1].get_extent()
    x, y = EqualEarth().forward(np.array([20.0, 0.0]), np.array([10.0, 22.0]))
    column = ((x - west) / (east - west) * water.shape[1]).astype(int)
    row = ((y - south) / (north - south) * water.shape[0]).astype(int)
    assert water[row, column].tolist() == [1.0, 0.0]


def test_colours_tell_sea_unknown_land_and_zero_apart():
    none, low = DIFFERENCE_COLOURS(0.5), GPP_COLOURS(0.0)
    for land in (none, geography.NO_DATA_OF_DIFFERENCES):
        assert contrast(land, geography.SEA_OF_DIFFERENCES) >= 2.0
    assert contrast(none, geography.SEA_OF_DIFFERENCES) >= 3.0
    assert contrast(low, geography.SEA) >= 3.0
    assert contrast(low, geography.NO_DATA) >= 3.0
    assert contrast(geography.NO_DATA, geography.SEA) >= 1.5
    assert contrast(geography.COAST, geography.SEA) >= 3.0
    assert contrast(geography.COAST, none) >= 3.0


def test_differences_are_white_at_zero_and_even_in_lightness():
    lightness = np.array([luminance(DIFFERENCE_COLOURS(i)) for i in range(255)])
    third_root = np.cbrt(lightness)
    assert lightness.argmax() == 127
    np.testing.assert_allclose(np.diff(third_root[:127]), np.diff(third_root[:127]).mean(), rtol=0.15)
    low, high = plot.map(world() - 110.0, difference=True, ax=axes()).images[0].get_clim()
    assert low == -high


@pytest.mark.parametrize("paper", [PAPER, DARK_PAPER])
def test_series_and_letters_are_seen_on_paper(paper):
    assert min(contrast(colour, paper) for colour in COLOURS.values()) >= 3.0
    style = plot.STYLE if paper == PAPER else plot.DARK
    assert contrast(style["text.color"], paper) >= 7.0
    assert contrast(style["axes.edgecolor"], paper) >= 4.5


def test_towers_lie_on_the_map_and_open_one_of_their_own():
    ax = plot.map(world(), ax=axes())
    bars = len(ax.figure.axes)
    assert plot.towers([61.8], [24.3], [1.0], label="RMSE", ax=ax) is ax
    assert len(ax.figure.axes) == bars + 1
    np.testing.assert_allclose(
        ax.collections[-1].get_offsets()[0], np.ravel(EqualEarth().forward(np.array([61.8]), np.array([24.3])))
    )
    alone = plot.towers([48.0, 52.0], [2.0, 11.0], groups=["DBF", "ENF"], ax=axes())
    assert [text.get_text() for text in alone.get_legend().get_texts()] == ["DBF", "ENF"]
    edges = Cylinder(50.0).forward(np.zeros(2), np.array([0.0, 13.0]))[0]  # a margin of 2 degrees
    assert alone.get_xlim() == pytest.approx(edges)


def test_land_is_closed_and_has_its_size():
    path, lines = geography.coasts(0.0)
    rings = path.to_polygons(closed_only=True)
    x, y = EqualEarth().forward(*np.concatenate(rings)[:, ::-1].T)
    ends = np.cumsum([0, *map(len, rings)])
    areas = [0.5 * np.sum(x[a : b - 1] * y[a + 1 : b] - x[a + 1 : b] * y[a : b - 1]) for a, b in pairwise(ends)]
    assert abs(sum(areas)) / (4 * np.pi) == pytest.approx(0.29, abs=0.01)  # 29 % of the Earth is land
    assert all(np.abs(line[:, 0]).min() < 180.0 for line in lines)


def test_borders_are_no_coasts():
    left = [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0), (0.0, 0.0)]
    right = [(1.0, 0.0), (2.0, 0.0), (2.0, 1.0), (1.0, 1.0), (1.0, 0.0)]
    (ring,) = land_rings([left, right])
    assert ring[0] == ring[-1]
    assert set(ring) == {(0, 0), (1, 0), (2, 0), (2, 1), (1, 1), (0, 1)}


@pytest.mark.parametrize("style", [plot.STYLE, plot.DARK])
def test_the_ends_of_colour_bars_are_seen_on_any_page(style):
    with mpl.rc_context(style):
        ax = plot.map(np.ones((2, 4)), [45, -45], [-135, -45, 45, 135], label="GPP")
    (bar,) = [each for each in ax.figure.axes if each is not ax]
    (outline,) = [
        each for each in bar.get_children() if isinstance(each, mpl.spines.Spine) and each.spine_type == "colorbar"
    ]
    assert outline.get_visible()
    assert outline.get_edgecolor() == mpl.colors.to_rgba(style["axes.edgecolor"])


def test_the_styles_only_set_what_matplotlib_knows():
    for style in (plot.STYLE, plot.DARK):
        with mpl.rc_context(style):
            assert mpl.rcParams["figure.dpi"] == 160


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((np.ones((2, 3)),), ShapeError, "lat, lon: expected the cell centres"),
        ((np.ones((2, 3)), [0, 1], [0, 1]), ShapeError, r"expected shape \(2, 2\)"),
        ((np.ones((2, 3)), [0, 1], [0, 1, 5]), RangeError, "lon: expected even steps"),
        ((np.full((2, 2), np.nan), [0, 1], [0, 1]), RangeError, "one finite value"),
        ((xr.DataArray(np.ones((2, 2)), dims=("y", "x")),), ShapeError, "coordinates lat and lon"),
        ((world().expand_dims(time=2),), ShapeError, "take a month or a mean"),
    ],
)
def test_fields_that_cannot_be_mapped_are_refused(arguments, error, message):
    with pytest.raises(error, match=message):
        plot.map(*arguments, ax=axes())


def test_towers_of_different_lengths_are_refused():
    with pytest.raises(ShapeError, match="values: expected the shape of lat"):
        plot.towers([1.0], [2.0], [1.0, 2.0], ax=axes())
    with pytest.raises(ShapeError, match="one tower or more"):
        plot.towers([], [], ax=axes())
    with pytest.raises(RangeError, match="expected one finite value"):
        plot.limits([np.nan])
