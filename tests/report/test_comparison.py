"""The report of compared products: its numbers are those of the comparison, and every figure is on the page."""

import json

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from gppcore.comparison import compare
from gppcore.report import write_comparison_report
from gppcore.report.comparison import annual, bias_map, density, short_names, taylor


def planet(title, seed, *, annual=False, north=90.0):
    """Return monthly GPP of seasons and noise at 10 degrees, or its first month as an annual mean."""
    lat, lon = np.arange(north - 5.0, -90, -10), np.arange(-175.0, 180, 10)
    rng = np.random.default_rng(seed)
    season = 1.0 - np.cos(np.arange(12) / 6 * np.pi)[:, None, None] * np.sign(lat)[:, None] * 0.8
    values = (0.5 + 5 * np.cos(np.deg2rad(lat))[:, None]) * season + rng.gamma(1.0, 1.0, (12, lat.size, lon.size))
    time = np.arange("2019-01", "2020-01", dtype="datetime64[M]").astype("datetime64[ns]")
    dataset = xr.Dataset(
        {"gpp": (("time", "lat", "lon"), values, {"units": "g C m-2 d-1"})},
        coords={"time": time, "lat": lat, "lon": lon},
        attrs={"title": title},
    )
    return dataset.isel(time=0, drop=True) if annual else dataset


@pytest.fixture(scope="module")
def written(tmp_path_factory, parse):
    comparisons = compare(planet("one <1>", 1), planet("two", 2), planet("towers", 3))
    path = write_comparison_report(comparisons, tmp_path_factory.mktemp("comparison"))
    return comparisons, path, parse(path)


def test_every_figure_is_embedded_and_lies_beside_the_page(written, figures):
    _, path, page = written
    assert figures(path, page) == 6 + 2 * 4


def test_every_number_of_a_narrow_page_is_labelled(written):
    _, path, page = written
    assert path.read_text().count('cards" id=') == 3
    assert {"R²", "own cells, Pg C yr⁻¹", "bias, top tenth, g C m⁻² d⁻¹"} <= set(page.labels)


def test_two_years_are_drawn_as_years(tmp_path, parse, undrawn):
    one, two = planet("one", 1), planet("two", 2)
    both = xr.concat([one.assign_coords(time=one.indexes["time"] - pd.DateOffset(years=1)), one], "time", join="outer")
    comparisons = compare(both.assign_attrs(title="both"), two)
    with undrawn():
        page = parse(write_comparison_report(comparisons, tmp_path))
    assert len(annual(comparisons, ["both", "two"], 10.4).axes[0].lines) == 2
    assert (tmp_path / "annual.png").exists()
    assert "Annual totals" in page.text
    assert list(json.loads((tmp_path / "comparison.json").read_text())[0]["annual_totals"]) == ["2018", "2019"]


def test_tables_hold_the_numbers_of_the_comparison(written):
    comparisons, _, page = written
    for row, each in zip(page.tables["totals"][2:], comparisons, strict=True):
        assert row[0] == each.product.removesuffix(": gpp")
        assert row[1] == f"{each.regions['whole'].total:,.2f}"
        assert float(row[3].replace("\N{MINUS SIGN}", "-")) == pytest.approx(each.high_bias, abs=0.006)
    rows = page.tables["comparison"][1:]
    assert [row[0] for row in rows[:4]] == ["common cells", "tropics", "north of the tropics", "south of the tropics"]
    assert rows[5][1] == "two"
    agreement, ends = comparisons[1].regions["tropics"], comparisons[1].intervals["tropics"]
    told = f"{agreement.r2:.3f}[{ends.r2[0]:.3f}, {ends.r2[1]:.3f}]".replace("-", "\N{MINUS SIGN}")
    assert rows[5][4] == told
    low, high = comparisons[0].intervals["whole"].total_difference
    assert f"totals is {low:+.2f} to\n{high:+.2f} Pg".replace("-", "\N{MINUS SIGN}") in page.text
    row = page.tables["seasons"][1]
    season = comparisons[0].seasons["whole"]
    assert row[2:4] == [f"{season.amplitude:.2f}", f"{season.other_amplitude:.2f}"]
    assert row[4] == f"{season.shift:+.0f}".replace("-", "\N{MINUS SIGN}")
    assert page.tables["provenance"][0] == ["one <1>", "one <1>: gpp"]


def test_classes_and_trends_have_their_place(tmp_path, parse, undrawn):
    one, two = planet("one", 1), planet("two", 2)
    years = [
        each.assign_coords(time=each.indexes["time"] - pd.DateOffset(years=i)) * (1 + 0.1 * i)
        for each in (one, two)
        for i in range(5)
    ]
    for each in years:
        each["gpp"].attrs["units"] = "g C m-2 d-1"
    parts = [xr.concat(part, "time").sortby("time") for part in (years[:5], years[5:])]
    sorts = xr.DataArray(np.ones((18, 36), int), {"lat": one.lat, "lon": one.lon}, name="igbp")
    (found,) = compare(*(each.assign_attrs(title=t) for each, t in zip(parts, "ab", strict=True)), classes=sorts)
    with undrawn():
        page = parse(write_comparison_report([found], tmp_path))
    assert page.tables["classes"][1][2] == f"{next(iter(found.classes.values())).total:,.2f}"
    told = f"{found.variability.trend:+.3f} against".replace("-", "\N{MINUS SIGN}")
    assert told in page.text


def test_numbers_and_maps_lie_beside_the_page(written):
    comparisons, path, _ = written
    told = json.loads((path.parent / "comparison.json").read_text())
    assert [each["product"] for each in told] == [each.product for each in comparisons]
    assert told[1]["regions"]["tropics"]["rmse"] == comparisons[1].regions["tropics"].rmse
    with xr.open_dataset(path.parent / "maps_1.nc") as maps:
        xr.testing.assert_allclose(maps.load(), comparisons[1].maps)


def test_annual_means_have_neither_season_nor_correlation(tmp_path, parse, undrawn):
    comparisons = compare(planet("one", 1, annual=True), planet("two", 2))
    with undrawn():
        write_comparison_report(comparisons, tmp_path)
        page = parse(write_comparison_report(comparisons, tmp_path))  # in place of the first
    assert "annual means" in page.text
    assert len(page.images) == 5 + 3
    assert not (tmp_path / "seasonal.png").exists()
    assert not (tmp_path / "correlation_0.png").exists()


def test_flat_and_narrow_products_are_drawn(tmp_path, parse):
    flat = planet("flat", 1).sel(lat=[5.0, -5.0])
    flat = flat.assign(gpp=flat.gpp.copy(data=np.full(flat.gpp.shape, 2.0)))
    row = planet("row", 2).sel(lat=[5.0, -5.0]).isel(lon=[7, 8])
    row.gpp[:, 1] = np.nan
    page = parse(write_comparison_report(compare(row, flat), tmp_path))
    assert page.tables["comparison"][1][4:6] == ["\N{EN DASH}", "\N{EN DASH}"]  # neither R2 nor correlation


def test_a_product_may_go_against_the_reference():
    product = planet("against", 1)
    against = product.assign(gpp=(15.0 - product.gpp).assign_attrs(product.gpp.attrs))
    figure = taylor(compare(against, product), ["against", "reference"], 5.1)
    (point,) = [line for line in figure.axes[0].lines if line.get_marker() == "o"]
    assert np.cos(point.get_xdata()[0]) == pytest.approx(-1.0)
    assert figure.axes[0].get_thetamax() == 180.0


def test_corners_of_densities_tell_the_numbers_of_the_table(written):
    comparisons, _, _ = written
    for axes, each in zip(density(comparisons, ["one", "two", "towers"], 10.4).axes, comparisons, strict=False):
        whole = each.regions["whole"]
        bias = f"bias {whole.bias:+.2f}".replace("-", "\N{MINUS SIGN}")
        assert axes.texts[0].get_text().split("\n")[1:] == [f"RMSE {whole.rmse:.2f}", bias]


def test_maps_of_bias_share_one_centred_scale(written):
    comparisons, _, _ = written
    one, two = (bias_map(each, comparisons, 5.1).axes[0].images[0].get_clim() for each in comparisons)
    assert one == two
    assert one[0] == -one[1]


@pytest.mark.parametrize(
    ("names", "short"),
    [
        (["a.nc: gpp", "a.nc: gpp_b"], ["gpp", "gpp_b"]),
        (["a.nc: gpp", "b.nc: gpp_b"], ["a.nc", "b.nc"]),
        (["a.nc: gpp", "a.nc: gpp_b", "b.nc: gpp"], ["a.nc: gpp", "a.nc: gpp_b", "b.nc: gpp"]),
        (["a" * 30 + "b" * 30 + ".nc: x", "b.nc: x"], ["a" * 18 + "…" + "b" * 8 + ".nc", "b.nc"]),
        (["a" * 40 + "b" * 40 + ": x", "a" * 50 + "b" * 40 + ": x"], ["a" * 40 + "b" * 40, "a" * 50 + "b" * 40]),
    ],
)
def test_names_are_told_by_what_tells_them_apart(names, short):
    assert short_names(names) == short
