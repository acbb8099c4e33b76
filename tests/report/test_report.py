"""The report: what is in the data is on the page, and the page needs nothing else."""

from base64 import b64decode
from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

from gppcore.comparison import Agreement, Comparison, Density
from gppcore.comparison.variability import variability
from gppcore.errors import RangeError, ShapeError
from gppcore.report import ReportData, write_report

METHODS = ("process", "direct", "transfer")
PFTS = ("ENF", "GRA", "CRO", "EBF", "DBF", "WET")
FIGURES = ("annual_gpp", "july_gpp", "january_gpp", "difference", "zonal", "scatter", "seasonal", "timing")


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
    return ReportData(
        experiment="planet <A> & B",
        synthetic=True,
        region=region,
        lat=lat,
        lon=lon,
        maps={"annual": field * 365, "january": field, "july": field * 2, "difference": field - 3},
        zonal_lat=lat,
        zonal={method: np.where(lat > -80, 100.0 + lat, np.nan) for method in METHODS},
        observed=observed,
        predicted={method: observed + rng.normal(size=200) for method in METHODS},
        seasonal={pft: dict.fromkeys(("observed", *METHODS), cycle) for pft in PFTS},
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
        totals={"process": 131.5, "direct": 125.04, "transfer": 118.25},
        compared=(),
        comparison=Comparison(
            "map.zarr: gpp_daily", "process.nc: gpp_daily", tuple(range(1, 13)), (0.5, 0.5), 119.0, 132.0, {}, {},
            {"whole": agreement, "tropics": empty, "north": north, "south": empty},
            {}, {}, {}, variability({}, {}), -1.5, 0.25, cycle[:10], cycle[:10],
            lat, lat, lat, {"whole": cycle}, {"whole": cycle}, Density(1.0, np.eye(3, dtype=np.int64)), xr.Dataset(),
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
    path = write_report(report_data(), out)
    return path, parse(path)


def test_every_figure_is_embedded_and_lies_beside_the_page(written):
    path, page = written
    assert path.name == "report.html"
    embedded = {b64decode(source.removeprefix("data:image/png;base64,")) for source in page.images}
    beside = {(path.parent / f"{name}.png").read_bytes() for name in FIGURES}
    assert all(image.startswith(b"\x89PNG\r\n") for image in beside)
    assert len(beside) == len(page.images) == len(FIGURES)
    assert embedded == beside


def test_the_page_needs_no_network_and_no_script(written):
    path, page = written
    assert page.addresses == page.images
    assert not {"script", "link", "iframe", "object", "embed"} & set(page.tags)
    html = path.read_text(encoding="utf-8")
    for image in page.images:
        html = html.replace(image, "")
    for address in ("url(", "@import", "http"):
        assert address not in html


def test_the_headline_tells_totals_cells_time_and_memory(written):
    _, page = written
    assert page.tables["headline"][1] == ["131.5", "125.0", "118.2", "6,543,210", "3 min 1 s", "1.88 GB"]


def test_the_table_of_skill_holds_the_numbers_of_the_data(written):
    rows = written[1].tables["skill"]
    assert rows[0] == ["", "site held out", "temporal held out", "regional held out"]
    assert rows[2][:6] == ["process", "0.500", "2.50", "\N{MINUS SIGN}0.25", "1,234", "17"]
    assert rows[4][6:9] == ["0.710", "2.30", "\N{MINUS SIGN}0.15"]
    assert rows[4][0] == "transfer"
    assert [len(row) for row in rows[2:]] == [16, 16, 16]


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


def test_synthetic_and_real_towers_are_told_apart(written, tmp_path, parse):
    label = "Observing-system simulation experiment: the towers are synthetic, sampled from a model planet"
    assert label in written[1].text
    real = write_report(replace(report_data(), synthetic=False, experiment="towers.csv"), tmp_path)
    text = parse(real).text
    assert "The towers are real" in text
    assert "synthetic" not in text


def test_a_window_is_named_and_mapped(tmp_path, parse):
    page = parse(write_report(report_data((35.0, 60.0, -12.0, 30.0)), tmp_path))
    assert "window 35°N to 60°N, 12°W to 30°E" in page.text
    assert "Annual GPP of the window" in page.text
    assert len(page.images) == len(FIGURES)


def test_the_same_data_give_the_same_bytes(written, tmp_path):
    assert write_report(report_data(), tmp_path).read_bytes() == written[0].read_bytes()


def test_months_share_one_scale_and_the_difference_is_centred():
    from gppcore.report.demo import difference_map, month_map

    data = report_data()
    limits = {month: month_map(data, month).axes[0].images[0].get_clim() for month in ("january", "july")}
    assert limits["january"] == limits["july"]
    low, high = difference_map(data).axes[0].images[0].get_clim()
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
