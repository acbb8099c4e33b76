"""The documents are true of the code: examples run, links lead somewhere, tables equal what they describe."""

import doctest
import re
import tomllib
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from gppcore.features import PREDICTORS
from gppcore.transfer.train import pretrain
from gppcore.variables import nomenclature

ROOT = Path(__file__).resolve().parents[1]
TOWER_BIAS, TOWER_MONTHS = 0.3, 5896
"""Of the process model at real towers, which tests/towers measures."""
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]


def anchors(page):
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in headings}


GENERATED = ("gallery/index.rst",)
"""Made by the build of the site, which fails where a link leads nowhere."""


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_links_lead_somewhere(page):
    for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        if link.startswith("https://") or link in GENERATED:
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path) if path else page
        assert target.is_file(), link
        assert not anchor or anchor in anchors(target), link


def test_every_page_is_listed_by_its_section():
    lists = [ROOT / "docs" / "index.md", *(ROOT / "docs").glob("*/index.md")]
    listed = {page for lister in lists for page in linked(lister)}
    assert [str(p) for p in sorted((ROOT / "docs").rglob("*.md")) if p not in listed and p != lists[0]] == []
    included = {page for page in listed if page.is_file() for page in included_by(page)}
    assert [p.name for p in ROOT.glob("*.md") if p not in included] == []


def linked(page):
    return {
        (page.parent / path).resolve()
        for path in re.findall(r"^\| \[[^]]+\]\(([^)]+)\)", page.read_text(), re.MULTILINE)
    }


def included_by(page):
    return {
        (page.parent / path).resolve() for path in re.findall(r"^```{include} (.+)$", page.read_text(), re.MULTILINE)
    }


def test_paths_named_in_the_documents_exist():
    pattern = re.compile(r"`((?:cpp|docs|python|src|tests|benchmarks)/[\w./-]*\w/?)`")
    named = {path for page in PAGES for path in pattern.findall(page.read_text())}
    assert len(named) > 10
    assert [path for path in sorted(named) if not (ROOT / path).exists()] == []


def test_equations_have_the_same_numbers_everywhere():
    page = re.findall(r"^\| (E\d+) \|", (ROOT / "docs" / "equations.md").read_text(), re.MULTILINE)
    assert sorted(page, key=lambda e: int(e[1:])) == [f"E{i}" for i in range(1, len(page) + 1)]
    specification = [ROOT / "src" / "gppcore" / "process" / name for name in ("reference.py", "reference_compat.py")]
    stated = {e for file in specification for e in re.findall(r"\bE\d+\b", file.read_text())}
    assert stated == set(page)
    for file in (ROOT / "cpp" / "src" / "kernels").glob("*.hpp"):
        assert set(re.findall(r"\bE\d+\b", file.read_text())) <= set(page), file.name


def test_figures_on_several_pages_are_the_same():
    readme, two_leaf, calibration = (
        " ".join((ROOT / page).read_text().split()) for page in ("README.md", "docs/two_leaf.md", "docs/calibration.md")
    )
    bias = f"{TOWER_BIAS:+.2f}"
    assert f"({TOWER_MONTHS} months) its bias is {bias} g C m-2 d-1" in readme
    assert f"{TOWER_MONTHS} months of 109 real towers" in two_leaf
    assert f"{TOWER_MONTHS:,} months of 109 towers" in calibration
    assert re.search(rf"mean of the type \(default\) \| [\d.]+ \| [\d.]+ \| {re.escape(bias)} ", two_leaf)
    assert re.search(rf"\| defaults \| [\d.]+ \| [\d.]+ \| {re.escape(bias)} ", calibration)
    total = re.search(r"\| process \| .* \| ([\d.]+) \|", (ROOT / "README.md").read_text())[1]
    assert f"{float(total):.0f} Pg C per year" in readme
    assert f"{float(total):.0f} Pg C per year" in two_leaf


def test_nomenclature_equals_the_table_of_variables():
    assert (ROOT / "docs" / "nomenclature.md").read_text() == nomenclature() + "\n"


def test_layers_in_the_architecture_equal_the_contract():
    contract = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"][0]["layers"]
    text = (ROOT / "docs" / "architecture.md").read_text().split("| layer | holds |")[1].split("##")[0]
    rows = [row.split("|")[1] for row in text.strip().splitlines()[1:]]
    told = [" | ".join(f"gppcore.{name}" for name in re.findall(r"`(\w+)`", row)) for row in rows]
    assert told == contract


def test_version_is_the_same_everywhere():
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert f"\nversion: {version}\n" in (ROOT / "CITATION.cff").read_text()
    assert f"## [{version}]" in (ROOT / "CHANGELOG.md").read_text()
    assert f'version: "{version}"' in (ROOT / "packaging" / "recipe.yaml").read_text()


def test_readme_examples_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    x = np.random.default_rng(0).random((200, len(PREDICTORS)))
    # Stands for the one that the demonstration makes.
    pretrain(x, {"process": x[:, 0]}).save("gppcore-demo/models/transfer")
    result = doctest.testfile(str(ROOT / "README.md"), module_relative=False)
    assert result.attempted >= 10
    assert result.failed == 0


def test_example_of_a_tower_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    time = pd.date_range("2012-06-01", periods=96, freq="30min")
    sun = np.maximum(np.cos((time.hour + time.minute / 60 - 12) * np.pi / 12), 0.0)
    columns = {"SW_IN_F": 900 * sun, "TA_F": 15 + 10 * sun, "VPD_F": 12.0, "P_F": 0.05}
    pd.DataFrame({"TIMESTAMP_START": time.strftime("%Y%m%d%H%M"), **columns}).to_csv("tower.csv", index=False)
    result = doctest.testfile(str(ROOT / "docs" / "simulate.md"), module_relative=False)
    assert result.attempted == 11
    assert result.failed == 0


@pytest.fixture
def no_windows():
    """Figures of pyplot are drawn on no screen and closed."""
    plt.switch_backend("agg")
    with plt.rc_context({"figure.max_open_warning": 0}):
        yield
    plt.close("all")


def test_examples_of_plots_run(no_windows, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = doctest.testfile(str(ROOT / "docs" / "plots.md"), module_relative=False)
    assert result.attempted >= 10
    assert result.failed == 0
    assert (tmp_path / "gpp.png").stat().st_size > 10_000
