"""The viewer: its file holds the product's months, and a click, a key and the slider show what is there."""

import gzip
import json
import re
from base64 import b64decode
from dataclasses import replace

import numpy as np
import pytest
import xarray as xr
from typer.testing import CliRunner

from gppcore.cli.main import app
from gppcore.errors import ProductFormatError
from gppcore.report.viewer import write_viewer

LAT, LON = np.arange(59.5, 40.0, -1.0), np.arange(-9.5, 30.0, 1.0)


def product(title="map", *, years=1, bounds=True):
    """Return monthly GPP of every cell by its place, month and year; the northwest has none."""
    time = np.arange("2001-01", f"{2001 + years}-01", dtype="datetime64[M]").astype("datetime64[ns]")
    month = np.arange(time.size) % 12
    season = 1.0 - 0.8 * np.cos(month / 6 * np.pi)
    base = (70.0 - LAT)[:, None] / 8.0 + (LON / 100.0)[None, :]
    values = season[:, None, None] * base[None] + 0.5 * (np.arange(time.size) // 12)[:, None, None]
    values[:, :4, :4] = np.nan
    attrs = {"units": "g C m-2 d-1"}
    name = {"standard_name": "gross_primary_productivity_of_biomass_expressed_as_carbon"}
    fields = {"gpp_daily": (("time", "lat", "lon"), values, {**attrs, **name})}
    if bounds:
        fields["gpp_daily_low"] = (("time", "lat", "lon"), 0.5 * values, attrs)
        fields["gpp_daily_high"] = (("time", "lat", "lon"), 1.5 * values, attrs)
    return xr.Dataset(fields, {"time": time, "lat": LAT, "lon": LON}, {"title": title})


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("viewer")
    product().to_netcdf(path / "map.nc", engine="h5netcdf")
    return path


@pytest.fixture
def towers(make_towers):
    """Seven towers, the first in the window."""
    found = make_towers()
    sites = found.sites.copy()
    sites["lat"], sites["lon"] = -30.0, 100.0
    sites.loc[sites.index[0], ["lat", "lon"]] = 50.2, 10.4
    return replace(found, sites=sites)


def content(page):
    text = page.read_text(encoding="utf-8")
    return json.loads(re.search(r'<script type="application/json" id="content">(.*?)</script>', text, re.DOTALL)[1])


def unpacked(text, dtype):
    return np.frombuffer(gzip.decompress(b64decode(text)), dtype)


def test_the_file_holds_the_months_of_the_product(folder, tmp_path):
    page = write_viewer(folder / "map.nc", tmp_path / "new" / "view.html")
    held = content(page)
    land = np.cumsum(unpacked(held["land"], np.uint32))
    assert land.size == LAT.size * LON.size - 16
    gpp, low, high = (unpacked(text, "<u2").reshape(12, -1) * held["step"] for text in held["values"])
    expected = product()["gpp_daily"].values.reshape(12, -1)[:, land]
    np.testing.assert_allclose(gpp, expected, atol=0.0051)
    np.testing.assert_allclose(low, 0.5 * expected, atol=0.0051)
    np.testing.assert_allclose(high, 1.5 * expected, atol=0.0051)
    assert (held["lat"], held["lon"], held["globe"]) == ([60.0, 40.0], [-10.0, 30.0], False)


def test_the_page_needs_no_network(folder, tmp_path):
    text = write_viewer(folder / "map.nc", tmp_path / "view.html").read_text(encoding="utf-8")
    assert re.findall(r"https?:[^\s\"']+", text) == ["http://www.w3.org/2000/svg"]  # a name, not an address
    assert not re.search(r"(?:src|href)=", text)


def test_years_are_averaged_to_calendar_months(tmp_path):
    product(years=3, bounds=False).to_netcdf(tmp_path / "map.nc", engine="h5netcdf")
    page = write_viewer(tmp_path / "map.nc", tmp_path / "view.html")
    held = content(page)
    assert (len(held["values"]), held["bounds"], held["years"]) == (1, False, [2001, 2003])
    assert "mean of 2001 to 2003" in page.read_text(encoding="utf-8")
    first = unpacked(held["values"][0], "<u2").reshape(12, -1)[:, 0] * held["step"]
    np.testing.assert_allclose(first, product()["gpp_daily"].values[:, 0, 4] + 0.5, atol=0.0051)
    assert held["single"] == [2001, 2002, 2003]
    for k, text in enumerate(held["of_years"]):
        one = unpacked(text, "<u2").reshape(12, -1)[:, 0] * held["step"]
        np.testing.assert_allclose(one, product()["gpp_daily"].values[:, 0, 4] + 0.5 * k, atol=0.0051)


def test_a_year_that_is_not_whole_is_in_the_mean_alone(tmp_path):
    product(years=3, bounds=False).isel(time=slice(0, 30)).to_netcdf(tmp_path / "map.nc", engine="h5netcdf")
    held = content(write_viewer(tmp_path / "map.nc", tmp_path / "view.html"))
    assert (held["single"], len(held["of_years"])) == ([2001, 2002], 2)


def test_single_years_make_cells_coarser_but_not_the_file_larger(tmp_path, monkeypatch):
    monkeypatch.setattr("gppcore.report.viewer._VALUES", 12 * 800)
    product(years=3, bounds=False).to_netcdf(tmp_path / "map.nc", engine="h5netcdf")
    held = content(write_viewer(tmp_path / "map.nc", tmp_path / "view.html"))
    assert held["shape"] == [10, 20]


def test_fine_products_are_made_coarser(folder, tmp_path, monkeypatch):
    monkeypatch.setattr("gppcore.report.viewer._CELLS", 200)
    held = content(write_viewer(folder / "map.nc", tmp_path / "view.html"))
    assert held["shape"] == [10, 20]
    values = product()["gpp_daily"].values
    weight = np.cos(np.deg2rad(LAT))[:2, None] * np.ones(2)
    mean = np.average(values[6, :2, 4:6], weights=weight)
    land = np.cumsum(unpacked(held["land"], np.uint32)).tolist()
    gpp = unpacked(held["values"][0], "<u2").reshape(12, -1) * held["step"]
    assert gpp[6, land.index(2)] == pytest.approx(mean, abs=0.006)


def test_towers_on_the_map_come_with_their_months(folder, towers, tmp_path):
    (tower,) = content(write_viewer(folder / "map.nc", tmp_path / "view.html", towers))["towers"]
    assert (tower["site"], tower["lat"], tower["lon"]) == (towers.sites.index[0], 50.2, 10.4)
    assert tower["gpp"] == [5.0] * 12


def test_annual_means_are_refused(tmp_path):
    annual = product(bounds=False).mean("time", keep_attrs=True)
    annual["gpp_daily"].attrs["units"] = "g C m-2 yr-1"
    annual.to_netcdf(tmp_path / "map.nc", engine="h5netcdf")
    with pytest.raises(ProductFormatError, match="expected monthly GPP, got annual means"):
        write_viewer(tmp_path / "map.nc", tmp_path / "view.html")


def test_the_command_writes_the_page_in_this_folder(folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(app, ["view", str(folder / "map.nc")])
    assert result.output == "Page  map.html\n"
    assert content(tmp_path / "map.html")["name"] == "map.nc: gpp_daily"


@pytest.mark.slow
def test_clicks_keys_and_slider_show_what_is_there(browser, folder, towers, tmp_path):
    page = write_viewer(folder / "map.nc", tmp_path / "view.html", towers)
    browser.open(page, 1280, 800)
    browser.wait("document.body.dataset.ready === 'yes'")
    told = "document.getElementById('told').textContent"

    # A click at the centre of a cell: true to shape at 50 N, so the height of a latitude is sin(lat) / cos(50).
    frame = browser.evaluate(
        "(({x, y, width, height}) => [x, y, width, height])(document.getElementById('map').getBoundingClientRect())"
    )
    row, column = 12, 31
    top, bottom, here = (np.sin(np.deg2rad(v)) for v in (60.0, 40.0, LAT[row]))
    x = frame[0] + (LON[column] + 10.0) / 40.0 * frame[2]
    y = frame[1] + (top - here) / (top - bottom) * frame[3]
    browser.click(x, y)
    gpp = product()["gpp_daily"].values
    text = browser.evaluate(told)
    assert text.startswith("47.50°N 21.50°E")
    july = gpp[6, row, column]
    assert f"July: {july:.2f} g C m⁻² d⁻¹, 90 % interval {0.5 * july:.2f} to {1.5 * july:.2f}." in text
    assert browser.evaluate("document.querySelectorAll('#band, #cycle').length") == 2
    assert browser.evaluate("document.querySelectorAll('#numbers tr').length") == 13

    # Keys move by a cell; the slider changes the month.
    browser.evaluate("document.getElementById('map').focus()")
    browser.press("ArrowDown")
    browser.press("ArrowRight")
    assert browser.evaluate(told).startswith("46.50°N 22.50°E")
    browser.evaluate("document.getElementById('month').focus()")
    browser.press("ArrowLeft")
    assert f"June: {gpp[5, row + 1, column + 1]:.2f} " in browser.evaluate(told)

    # A click near a tower chooses it, and shows what it observed.
    here = np.sin(np.deg2rad(50.2))
    browser.click(frame[0] + 20.4 / 40.0 * frame[2] + 4, frame[1] + (top - here) / (top - bottom) * frame[3])
    assert browser.evaluate(told).startswith(f"{towers.sites.index[0]} (")
    assert "; observed 5.00." in browser.evaluate(told)
    assert browser.evaluate("document.querySelectorAll('#chart .observed').length") == 12

    # A cell without data says so, a narrow dark page fits, and nothing is loaded or fails.
    browser.click(frame[0] + 4, frame[1] + 4)
    assert browser.evaluate(told).endswith("No data here.")
    browser.open(page, 400, 800, dark=True)
    browser.wait("document.body.dataset.ready === 'yes'")
    assert browser.evaluate("document.documentElement.scrollWidth") <= 400
    assert browser.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(23, 27, 32)"
    assert set(browser.requests) == {page.as_uri()}
    assert browser.complaints == []


@pytest.mark.slow
def test_zoom_drag_and_years(browser, tmp_path):
    product(years=3).to_netcdf(tmp_path / "map.nc", engine="h5netcdf")
    page = write_viewer(tmp_path / "map.nc", tmp_path / "view.html")
    browser.open(page, 1280, 800)
    browser.wait("document.body.dataset.ready === 'yes'")
    told, gpp = "document.getElementById('told').textContent", product(years=3)["gpp_daily"].values
    left, top, width, height = browser.evaluate(
        "(({x, y, width, height}) => [x, y, width, height])(document.getElementById('map').getBoundingClientRect())"
    )

    # Twice as near about the centre: a click a quarter from the left is where an eighth of the width was.
    browser.evaluate("document.getElementById('nearer').click()")
    assert browser.evaluate("zoomed()") == 2
    browser.click(left + 0.25 * width + 1, top + 0.5 * height)
    column = int((0.25 + 0.25 / 2) * 40)
    assert f"{LON[column]:.2f}°E" in browser.evaluate(told)

    # The place under the button follows it, without choosing another cell; the edge of the map stays outside.
    before = browser.evaluate(told)
    browser.drag(left + 0.3 * width, top + 0.5 * height, left + 0.7 * width, top + 0.5 * height)
    assert browser.evaluate(told) == before
    assert browser.evaluate("view[0]") == pytest.approx(browser.evaluate("box[0] + 0.05 * (box[1] - box[0])"), abs=1e-3)
    browser.drag(left + 0.1 * width, top + 0.5 * height, left + 0.9 * width, top + 0.5 * height)
    assert browser.evaluate("view[0] === box[0]")
    browser.wheel(left + 0.5 * width, top + 0.5 * height, -240)
    browser.wait("zoomed() > 3.9")
    browser.evaluate("document.getElementById('whole').click()")
    assert browser.evaluate("view.every((edge, i) => edge === box[i])")

    # One year beside the mean year; intervals are those of the mean.
    browser.evaluate(
        "document.getElementById('year').value = '2';document.getElementById('year').dispatchEvent(new Event('change'))"
    )
    text = browser.evaluate(told)
    row = int(np.argmin(np.abs(LAT - float(text.split("°")[0]))))
    july = gpp[6::12, row, column]
    assert f"July 2003: {july[2]:.2f} g C m⁻² d⁻¹, mean year {july.mean():.2f}." in text
    assert browser.evaluate("document.querySelectorAll('#cycle, #usual').length") == 2
    assert browser.evaluate("document.getElementById('band')") is None
    assert browser.complaints == []
