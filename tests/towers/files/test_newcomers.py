"""What a newcomer sees for each of ten mistakes; docs/towers.md lists them."""

import subprocess
import sys

import pytest

NAME = "FLX_DE-Mad_FLUXNET2015_FULLSET_HH_2003-2003_1-4.csv"
SITES = "site_id,lat,lon,igbp,utc_offset\nDE-Mad,51.0,13.5,DBF,1\n"
LAI = "site_id,month,lai\n" + "".join(f"DE-Mad,{month},2.5\n" for month in range(1, 13))


@pytest.fixture(scope="module")
def hours(kit):
    return kit.hours(kit.Made("DE-Mad", years=1, seed=3))


def table(change=lambda hours: hours):
    """Write the file, changed."""

    def write(kit, hours, folder):
        kit.write(kit.stamped(change(hours.copy()), "HH"), folder / NAME)

    return write


def text(content, name=NAME):
    return lambda kit, hours, folder: (folder / name).write_bytes(content)


def dates(form):
    def write(kit, hours, folder):
        start = hours.index[: 48 * 12]  # to 12 January: every date may be of one order or the other
        plain = hours.loc[start, ["TA_F", "SW_IN_F"]].assign(GPP=hours["GPP_NT_VUT_REF"])
        plain.insert(0, "date", start.strftime(form))
        plain.iloc[:: 48 * 11].to_csv(folder / "DE-Mad.csv", index=False)

    return write


def with_files(name, content):
    def write(kit, hours, folder):
        table()(kit, hours, folder)
        (folder / name).write_text(content)

    return write


MISTAKES = {
    "a folder that is not there": (lambda kit, hours, folder: None, "no such file"),
    "a spreadsheet under the name of a table": (text(b"PK\3\4" + b"\0" * 50), "expected"),
    "the page of a login in place of the file": (text(b"<!DOCTYPE html><html>"), "got an HTML or XML page"),
    "temperature in kelvin": (table(lambda t: t.assign(TA_F=t["TA_F"] + 273.15)), "K"),
    "deficit in kPa": (table(lambda t: t.assign(VPD_F=t["VPD_F"] / 10)), "looks like kPa"),
    "GPP in g C of half an hour": (table(lambda t: t.assign(GPP_NT_VUT_REF=t["GPP_NT_VUT_REF"] * 0.0216)), "GPP_NT"),
    "stamps in UTC, nine hours off": (table(lambda t: t.set_axis(t.index.shift(-18))), "expected"),
    "latitude and longitude swapped": (
        with_files("sites.csv", SITES.replace("51.0,13.5", "13.5,51.0")),
        "coordinates swapped",
    ),
    "a site that the table of sites lacks": (with_files("sites.csv", SITES.replace("DE-Mad", "DE-Tha")), "got DE-Mad"),
    "no leaf area": (table(), "lai"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistake_is_told(kit, hours, tmp_path, mistake):
    write, told = MISTAKES[mistake]
    folder = tmp_path / "files"
    if "folder" not in mistake:
        folder.mkdir()
    (tmp_path / "sites.csv").write_text(SITES)
    write(kit, hours, folder)
    sites = folder / "sites.csv"
    if sites.exists():
        sites.replace(tmp_path / "sites.csv")
    command = [sys.executable, "-c", "from gppcore.cli.main import main; main()", "towers", "import", "files"]
    (tmp_path / "lai.csv").write_text(LAI)
    options = ["--sites", "sites.csv", "--out", "towers", *([] if mistake == "no leaf area" else ["--lai", "lai.csv"])]
    done = subprocess.run([*command, *options], cwd=tmp_path, capture_output=True, text=True)
    shown = done.stdout + done.stderr
    print(f"MISTAKE {mistake}: {shown}")
    assert done.returncode == 1, shown
    assert told in shown
    assert "Traceback" not in shown
    assert not (tmp_path / "towers").exists()
