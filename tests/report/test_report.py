"""The report: what is in the data is on the page, and the page needs nothing else."""

import re
from dataclasses import replace
from functools import partial

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
import xarray as xr

from gppcore.comparison import Agreement, Comparison, Density
from gppcore.comparison.variability import variability
from gppcore.errors import RangeError, ShapeError
from gppcore.report import ReportData, write_report
from gppcore.report.demo import annual_map, difference_map, month_map, years, zonal, zone_totals
from gppcore.report.figure import Drawing
from gppcore.report.page import _STYLE, _svg, write_page

METHODS = ("process", "direct", "transfer")
PFTS = ("ENF", "GRA", "CRO", "EBF", "DBF", "WET")
FIGURES = {
    "annual_gpp", "july_gpp", "january_gpp", "difference", "interval", "zonal", "regions", "scatter", "towers_rmse",
    "towers_bias", "seasonal", "timing", "truth", "truth_error",
}  # fmt: skip


def report_data(region=None):
    rng = np.random.default_rng(5)
    south, north, west, east = region or (-90.0, 90.0, -180.0, 180.0)
    lat, lon = np.linspace(north, south, 21)[1:] + 0.1, np.linspace(west, east, 41)[1:] - 0.1
    field = rng.gamma(2.0, 2.0, (20, 40))
    field[:, :15] = np.nan
    observed = rng.gamma(2.0, 2.0, 200)
    cycle = np.linspace(1.0, 5.0, 12)
    agreement = Agreement(960, 118.25, 131.5, 0.876, 0.954, 1.234, -0.321, 1.191, 3.5, 3.75)
    north = replace(agreement, n=900)
    empty = Agreement(0, 0.0, 0.0, *[float("nan")] * 7)
    cycles = dict.fromkeys(("whole", "north"), cycle)
    return ReportData(
        experiment="planet <A> & B",
        synthetic=True,
        region=region,
        inputs={"Towers": "synthetic: 17 sites", "Inputs": "<climate>.nc"},
        lat=lat,
        lon=lon,
        maps={"annual": field * 365, "january": field, "july": field * 2, "difference": field - 3, "interval": field},
        zonal_lat=lat,
        zonal={name: np.where(lat > -80, 100.0 + lat, np.nan) for name in (*METHODS, "low", "high")},
        observed=observed,
        predicted={method: observed + rng.normal(size=200) for method in METHODS},
        seasonal={pft: dict.fromkeys(("observed", *METHODS, "transfer_low", "transfer_high"), cycle) for pft in PFTS},
        skill={
            scheme: {
                method: {
                    "r2": 0.5 + i / 10 + j / 100,
                    "rmse": 2.5 - i / 10,
                    "bias": -0.25 + j / 10,
                    "n": 1234,
                    "groups": 17,
                }
                for i, method in enumerate(METHODS)
            }
            for j, scheme in enumerate(("site", "temporal", "regional"))
        },
        differences={"site": {"transfer - process": {"r2": [0.2, 0.11, 0.31], "rmse": [-0.5, -0.7, -0.3]}}},
        coverage={"site": 0.88},
        towers=pd.DataFrame(
            {
                "lat": [48.0, -20.0], "lon": [11.0, 140.0], "n": [24, 36], "bias": [-0.5, 1.25], "rmse": [1.0, 2.5],
            },
            index=["DE-One", "AU-Two"],
        ),
        totals={"process": 131.5, "direct": 125.04, "transfer": 118.25, "low": 60.5, "high": 190.25},
        years={},
        compared=(),
        truth=None,
        comparison=Comparison(
            "map.zarr: gpp_daily", "process.nc: gpp_daily", tuple(range(1, 13)), (0.5, 0.5), 119.0, 132.0,
            (104.5, 133.25), (float("nan"), float("nan")), {}, {},
            {"whole": agreement, "tropics": empty, "north": north, "south": empty},
            {}, {}, {}, variability({}, {}), -1.5, 0.25, cycle[:10], cycle[:10],
            lat, lat, lat, cycles, cycles, Density(1.0, np.eye(3, dtype=np.int64)), xr.Dataset(),
        ),
        seconds={"simulate": 61.5, "map": 120.0},
        peak_rss_gb=1.875,
        land_cells=6543210,
        caveats=["Weather is that of <one> year.", "Second caveat."],
        provenance={"gppcore": "0.1.0", "seed": "17"},
    )  # fmt: skip


@pytest.fixture(scope="module")
def written(tmp_path_factory, parse):
    out = tmp_path_factory.mktemp("report") / "new" / "folder"
    path = write_report(with_truth(report_data()), out)
    return path, parse(path)


@pytest.fixture(scope="module")
def window(tmp_path_factory, parse, undrawn):
    """Real towers, a window, and several years."""
    data = report_data((35.0, 60.0, -12.0, 30.0))
    real = {"synthetic": False, "experiment": "towers.csv", "inputs": {"Towers": "real: 17 sites"}}
    totals = {method: {2001 + i: 100.0 + i for i in range(6)} for method in METHODS}
    more = {"dissimilarity": data.maps["january"] / 10.0, "vcmax25": data.maps["july"] + 40.0}
    maps = {**data.maps, "trend": data.maps["difference"], **more}
    ends = [(-90, 90), (10, 90), (40, 50), (50, 60)]
    regions = pd.DataFrame(ends * 2, columns=["south", "north"])
    regions = regions.assign(first_year=[2001] * 4 + [2006] * 4, last_year=2006, gpp=6.25, low=5.0, high=7.5)
    reach = {"regions": regions, "reach": 0.8, "outside": 0.125}
    with undrawn():
        path = write_report(replace(data, **real, years=totals, maps=maps, **reach), tmp_path_factory.mktemp("window"))
    return path, parse(path)


def with_truth(data):
    """Return the contents with a known GPP."""
    lat, lon = data.lat, data.lon
    maps = {"other_gpp_daily": data.maps["january"], "bias": data.maps["january"] - 4.0}
    fields = xr.Dataset({name: (("lat", "lon"), field) for name, field in maps.items()}, {"lat": lat, "lon": lon})
    return replace(data, truth=replace(data.comparison, maps=fields))


def test_every_figure_is_embedded_and_lies_beside_the_page(written, figures):
    path, page = written
    assert path.name == "report.html"
    figures(path, page)
    assert {file.stem for file in path.parent.glob("*.png")} == FIGURES


def test_the_page_needs_no_network_and_no_script(written):
    path, page = written
    assert not {"script", "link", "iframe", "object", "embed"} & set(page.tags)
    assert all(address.startswith("data:image/svg+xml,") for address in page.addresses)
    html = re.sub(r'"data:[^"]*"', "", path.read_text(encoding="utf-8"))
    for address in ("url(", "@import", "http"):
        assert address not in html


def test_the_first_screen_tells_what_was_run_and_found(written):
    _, page = written
    assert list(page.tables)[:2] == ["inputs", "headline"]
    inputs = page.tables["inputs"]
    assert inputs[:2] == [["Towers", "synthetic: 17 sites"], ["Inputs", "<climate>.nc"]]
    assert inputs[2] == ["Run", "3 min 1 s for all steps, 1.88 GB of memory at most"]
    rows = page.tables["headline"]
    assert [row[:4] for row in rows[1:4]] == [
        ["process", "131.5", "0.50", "2.50"],
        ["direct", "125.0", "0.60", "2.40"],
        ["transfer", "118.2", "0.70", "2.30"],
    ]
    assert all(len(row[4]) > 40 for row in rows[1:])
    assert "add up to 60.5 and 190.2 Pg C yr⁻¹" in page.text


def test_whiskers_have_the_colour_of_letters():
    """Which pages exchange when they are dark."""
    zones = pd.DataFrame(
        {"south": [30, 40], "north": [40, 50], "gpp": [2.0, 3.0], "low": [1.5, 2.0], "high": [2.5, 4.0]}
    )
    with mpl.rc_context(_STYLE):
        figure = zone_totals(replace(report_data(), regions=zones), 5.1)
        ink = mpl.colors.to_rgba(mpl.rcParams["text.color"])
    (whiskers,) = figure.axes[0].collections
    assert [tuple(colour) for colour in whiskers.get_colors()] == [ink]


def test_a_known_truth_has_a_row(written):
    _, page = written
    assert page.tables["headline"][4][:2] == ["truth", "131.5"]
    assert "where transfer gives 118.2 Pg C yr⁻¹ (R² 0.876)" in " ".join(page.text.split())


def test_years_have_totals_and_a_trend(window):
    path, page = window
    assert {file.stem for file in path.parent.glob("*.png")} == (FIGURES - {"truth", "truth_error"}) | {
        "years",
        "trend",
        "dissimilarity",
        "vcmax25",
        "bands",
    }
    assert any("transfer 100.0 in 2001, 105.0 in 2006" in text for text in page.alternatives)


def test_totals_have_intervals_and_the_area_of_applicability_is_told(window):
    page = window[1]
    assert page.tables["totals"][1:] == [
        ["all cells", "6.250", "5.000 to 7.500"],
        ["north of 10°N", "6.250", "5.000 to 7.500"],
    ]
    assert "Totals: 40°N to 50°N 6.25, 50°N to 60°N 6.25" in " ".join(page.alternatives)
    text = " ".join(page.text.split())
    assert "Beyond 0.80 a place is unlike all that the model was judged at: 12.5 % of the land" in text


def test_years_and_trends_are_drawn():
    data = report_data()
    totals = {method: {2001 + i: 100.0 + i for i in range(6)} for method in METHODS}
    assert len(years(replace(data, years=totals), 6.8).axes[0].lines) == 2 * len(METHODS)
    trend = replace(data, maps={**data.maps, "trend": data.maps["difference"]})
    low, high = difference_map(trend, "trend", 5.1).axes[0].images[0].get_clim()
    assert low == -high


def test_intervals_and_their_level_are_told(written):
    _, page = written
    row = ["".join(cell.split()) for cell in page.tables["differences"][1]]
    assert row == ["transfer\N{MINUS SIGN}process", "+0.200[+0.110,+0.310]",
                   "\N{MINUS SIGN}0.50[\N{MINUS SIGN}0.70,\N{MINUS SIGN}0.30]"]  # fmt: skip
    text = " ".join(page.text.split())
    assert "The 90 % intervals of transfer hold 88 % of the months (sites held out)." in text
    assert "In brackets the 90 % interval" in text
    assert "The tropics are the cells within 10° of the equator" in text


def test_texts_for_figures_tell_their_numbers(written):
    texts = {text.split(".")[0]: text for text in written[1].alternatives}
    assert "highest 2.50 at AU-Two (20°S 140°E)" in texts["RMSE at each tower, site held out"]
    assert (
        "ENF: observed 5.0 in December"
        in texts["Mean seasonal cycles at towers by plant functional type and hemisphere"]
    )
    assert "Map: the mean over land is" in texts["Annual GPP, transfer"]


def test_the_table_of_skill_holds_the_numbers_of_the_data(written):
    page = written[1]
    rows = page.tables["skill"]
    assert rows[0] == ["sites held out", "R²", "RMSE", "bias", "n", "groups"]
    assert rows[1] == ["process", "0.500", "2.50", "\N{MINUS SIGN}0.25", "1,234", "17"]
    assert page.tables["skill_temporal"][3][:4] == ["transfer", "0.710", "2.30", "\N{MINUS SIGN}0.15"]
    assert page.tables["skill_regional"][0][0] == "regions held out"


def test_the_comparison_leaves_out_regions_without_cells(written):
    rows = written[1].tables["comparison"]
    assert [row[0] for row in rows] == ["region", "common cells", "north of the tropics"]
    expected = ["map.zarr: gpp_daily", "118.25", "131.50", "0.876", "0.954", "1.23", "1.19", "\N{MINUS SIGN}0.32"]
    assert rows[1][1:] == expected


def test_text_is_escaped_and_complete(written):
    path, page = written
    html = path.read_text(encoding="utf-8")
    assert "planet &lt;A&gt; &amp; B" in html
    assert "<one>" not in html
    assert "Weather is that of <one> year." in page.text
    assert page.tables["provenance"] == [["gppcore", "0.1.0"], ["seed", "17"]]


def test_synthetic_and_real_towers_are_told_apart(written, window):
    label = "Observing-system simulation experiment: the towers are synthetic, sampled from a model planet"
    assert label in written[1].text
    text = window[1].text
    assert "The towers are real" in text
    assert "synthetic" not in text


def test_a_window_is_named_and_mapped(window):
    _, page = window
    assert "window 35°N to 60°N, 12°W to 30°E" in page.text
    assert "Annual GPP of the window" in page.text


CONTRASTS = """(() => {
  const linear = (v) => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4);
  const light = (colour) => {
    const [r, g, b] = colour.match(/[0-9.]+/g).map(Number);
    return 0.05 + 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
  };
  const behind = (element) => {
    const colour = getComputedStyle(element).backgroundColor;
    return colour === "rgba(0, 0, 0, 0)" ? behind(element.parentElement) : colour;
  };
  const written = (element) => [...element.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
  return [...document.querySelectorAll("body *")].filter(written).map((element) => {
    const pair = [light(getComputedStyle(element).color), light(behind(element))];
    return Math.max(...pair) / Math.min(...pair);
  });
})()"""


@pytest.mark.slow
@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [400, 1280])
def test_pages_fit_and_have_contrast(browser, written, width, dark):
    path, page = written
    browser.open(path, width, 900, dark=dark)
    assert browser.evaluate("document.documentElement.scrollWidth") <= width
    contrasts = browser.evaluate(CONTRASTS)
    assert len(contrasts) > 100
    assert min(contrasts) >= 4.5  # WCAG AA
    assert browser.evaluate("[...document.images].every((image) => image.complete && image.naturalWidth > 100)")
    narrow = browser.evaluate("[...document.images].filter((image) => image.currentSrc !== image.src).length")
    assert narrow == (0 if width > 720 else len(page.addresses) - len(page.images))
    hidden = "[...document.querySelectorAll('td')].some((cell) => cell.textContent.trim() && !cell.offsetWidth)"
    assert not browser.evaluate(hidden)
    assert browser.complaints == []


def test_the_same_data_give_the_same_bytes(tmp_path):
    data = report_data()
    drawings = {
        "zonal": Drawing(partial(zonal, data), 3.4, "Zonal: 1"),
        "map": Drawing(partial(annual_map, data), 6.8, "Map: 1"),
    }
    texts = []
    for name in ("one", "two"):
        content = {"rows": [], "name": "x", "caveats": [], "provenance": {}}
        page = write_page("base.html.j2", drawings, tmp_path / name, **content)
        texts.append([page.read_bytes(), *(file.read_bytes() for file in sorted(page.parent.glob("*.png")))])
    assert texts[0] == texts[1]
    page = write_page("base.html.j2", drawings, tmp_path / "workers", n_processes=2, **content)
    assert page.read_bytes() == texts[0][0]
    with mpl.rc_context(_STYLE):
        assert _svg(zonal(data, 3.4)) == _svg(zonal(data, 3.4))


def test_months_share_one_scale_and_the_difference_is_centred():
    data = report_data()
    limits = {month: month_map(data, month, 5.1).axes[0].images[0].get_clim() for month in ("january", "july")}
    assert limits["january"] == limits["july"]
    low, high = difference_map(data, "difference", 5.1).axes[0].images[0].get_clim()
    assert low == -high


def test_a_map_without_land_is_refused():
    data = report_data()
    with pytest.raises(RangeError, match=r"maps\['july'\]: expected one land cell or more"):
        replace(data, maps={**data.maps, "july": np.full((20, 40), np.nan)})


@pytest.mark.parametrize(
    ("field", "change", "message"),
    [
        (
            "maps",
            lambda d: {**d.maps, "annual": np.ones((3, 40))},
            r"maps\['annual'\].*\(20, 40\).*\(3, 40\)",
        ),
        ("zonal", lambda d: {**d.zonal, "direct": np.ones(3)}, r"zonal\['direct'\]"),
        ("predicted", lambda d: {**d.predicted, "process": np.ones(3)}, r"predicted\['process'\]"),
        (
            "seasonal",
            lambda d: {"ENF": {**d.seasonal["ENF"], "direct": np.ones(11)}},
            r"\(12,\), got \(11,\)",
        ),
    ],
)
def test_wrong_shapes_are_refused(field, change, message):
    data = report_data()
    with pytest.raises(ShapeError, match=message):
        replace(data, **{field: change(data)})


@pytest.mark.parametrize(
    ("field", "change", "message"),
    [
        ("maps", lambda d: {"annual": d.maps["annual"]}, "maps: expected the entries"),
        ("totals", lambda d: {**d.totals, "other": 1.0}, "totals: expected the entries"),
        ("skill", lambda d: {**d.skill, "site": {**d.skill["site"], "direct": {"r2": 1.0}}}, "'groups'"),
        ("observed", lambda d: d.observed * np.nan, "observed: expected one tower month or more"),
        ("lat", lambda d: d.lat[::-1], "lat: expected two centres or more, descending"),
    ],
)
def test_missing_entries_and_wrong_order_are_refused(field, change, message):
    data = report_data()
    with pytest.raises(RangeError, match=message):
        replace(data, **{field: change(data)})
