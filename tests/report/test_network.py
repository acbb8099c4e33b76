import re
from dataclasses import replace

import numpy as np
import pytest

from gppcore.report.network import network_table, write_network_report


@pytest.fixture
def network(make_towers):
    """Seven towers of two years; one has no GPP, one has none after 2005."""
    towers = make_towers()
    gpp = towers.gpp[
        (towers.gpp["site_id"] != "T02") & ~((towers.gpp["site_id"] == "T03") & (towers.gpp["year"] > 2005))
    ]
    precip = towers.forcing["tair"].copy(data=np.full(towers.forcing["tair"].shape, 2.0))
    return replace(towers, gpp=gpp.reset_index(drop=True), forcing=towers.forcing.assign(precip=precip))


def test_table_has_months_years_and_climate_of_each_tower(network):
    table = network_table(network)
    assert table["months"].tolist() == [24, 24, 0, 11, 24, 24, 24]
    assert (table.loc["T03", "first"], table.loc["T03", "last"]) == (2005, 2005)
    assert (table["gpp_daily"].drop("T02") == 5.0).all()
    assert np.isnan(table.loc["T02", "gpp_daily"])
    np.testing.assert_allclose(table["precip"], 2.0 * 365)
    np.testing.assert_allclose(table["tair"], network.forcing["tair"].mean("time"))


def test_uncertainty_is_shown_where_the_folder_has_it(network, tmp_path, undrawn):
    known = replace(network, gpp=network.gpp.assign(gpp_uncertainty=0.37))
    with undrawn():
        assert "± a month" not in write_network_report(network, tmp_path / "without").read_text()
        text = write_network_report(known, tmp_path / "with").read_text()
    assert "± a month" in text
    assert text.count(">0.37</td>") == 6


def test_page_stands_alone_and_lists_all_sites(network, tmp_path):
    page = write_network_report(network, tmp_path / "page")
    text = page.read_text()
    assert "7 sites, 6 with GPP" in text
    assert "131 months that models use" in text
    for site in network.sites.index:
        assert f">{site}</th>" in text
    assert text.count("data:image/svg+xml,") == 6  # two wide ones, twice
    assert "http" not in re.sub(r'"data:[^"]*"', "", text)
    for name in ("places", "climate", "types", "years"):
        assert (tmp_path / "page" / f"{name}.png").stat().st_size > 3000
