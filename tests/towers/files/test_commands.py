import sys

import pandas as pd
import pytest

from gppcore import read_towers
from gppcore.cli.main import main


@pytest.fixture
def run(monkeypatch, capsys):
    """Run the command line in this process; returns exit code and output."""

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["gppcore", "towers", *map(str, arguments)])
        monkeypatch.setattr("os._exit", sys.exit)
        with pytest.raises(SystemExit) as end:
            main()
        return end.value.code or 0, *capsys.readouterr()

    return call


@pytest.fixture
def files(kit, half_hours, tmp_path):
    """Write a good file, a faulty one, and the metadata and leaf area of the site."""
    good = tmp_path / "FLX_DE-Mad_FLUXNET2015_FULLSET_HH_2003-2004_1-4.csv"
    kit.write(kit.stamped(half_hours, "HH"), good)
    bad = tmp_path / "FLX_DE-Mad_FLUXNET2015_FULLSET_MM_2003-2004_1-4.csv"
    months = kit.longer(half_hours, "MM")
    kit.write(kit.stamped(months.assign(TA_F=months["TA_F"] + 273.15), "MM"), bad)
    (tmp_path / "sites.csv").write_text("site_id,lat,lon,igbp,utc_offset\nDE-Mad,51.0,13.5,GRA,1\n")
    (tmp_path / "more.csv").write_text("site_id,c4_percent,elev_m\nDE-Mad,0,300\n")
    pd.DataFrame({"site_id": "DE-Mad", "month": range(1, 13), "lai": 2.0}).to_csv(tmp_path / "lai.csv", index=False)
    return good, bad, tmp_path


def test_check_tells_a_line_of_each_file(run, files):
    good, bad, folder = files
    code, out, _ = run("check", good, bad, folder / "none.csv", "--sites", folder / "sites.csv")
    assert code == 1
    first, second, third = out.splitlines()
    assert first == f"ok     {good}: DE-Mad, fluxnet HH, 2003-01 to 2004-12, 24 months with GPP, 24 core"
    assert second.startswith(f"FAULT  UnitsError: {bad}: TA_F: expected degC")
    assert third.startswith("FAULT  MissingFileError")
    assert run("check", good)[0] == 0


def test_import_writes_a_folder(run, files):
    good, bad, folder = files
    sites = ("--sites", folder / "sites.csv", "--sites", folder / "more.csv", "--lai", folder / "lai.csv")
    code, out, _ = run("import", good, *sites, "--out", folder / "towers")
    assert code == 0
    assert out.splitlines()[-1] == f"Towers  {folder / 'towers'}: 1 sites"
    assert len(read_towers(folder / "towers").gpp) == 24
    code, _, err = run("import", good, bad, *sites, "--out", folder / "other")
    assert code == 1
    assert err == "gppcore: TowerFormatError: towers: expected files without faults, got 1 of 2 with some\n"
    assert not (folder / "other").exists()
