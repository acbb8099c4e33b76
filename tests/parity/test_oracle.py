"""Both modes against results of the published BEPS, by the comparison that `benchmarks/oracle.py` makes."""

import gzip
import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

ROOT = Path(__file__).resolve().parents[2]
TABLES = ("leaf", "canopy", "site_hourly", "site_daily")


@pytest.fixture(scope="module")
def oracle():
    sys.path.insert(0, str(ROOT / "benchmarks"))
    import oracle

    yield oracle
    sys.path.remove(str(ROOT / "benchmarks"))


@pytest.fixture(scope="module")
def data(shared):
    folder = shared / "oracle"
    if not folder.is_dir():
        pytest.skip(f"results of BEPS not found at {folder}")
    return folder


@pytest.fixture(scope="module")
def rows(oracle, data):
    return oracle.compare_all(data)


def test_every_bound_is_kept(rows):
    assert {row.table for row in rows} == set(TABLES)
    assert {row.mode for row in rows} == {"beps", "default"}
    assert [row for row in rows if row.missed] == []
    assert sum(len(row.bounds) for row in rows) >= 20


def test_robust_mode_stays_near(rows):
    """No bound is asked of it: it differs by design, but little."""
    (canopy,) = [row for row in rows if row.table == "canopy" and row.mode == "default"]
    assert canopy.mae < 0.1
    assert canopy.r2 > 0.999


def test_rows_may_come_in_any_order_and_number(oracle, data, tmp_path, rows):
    table = pd.read_csv(data / "canopy.csv.gz")
    table.sample(frac=1.0, random_state=1).to_csv(tmp_path / "canopy.csv.gz", index=False)
    (shuffled,) = [r for r in oracle.compare_all(tmp_path) if r.rows == "all"]
    (whole,) = [r for r in rows if r.table == "canopy" and r.rows == "all"]
    assert (shuffled.n, shuffled.max) == (whole.n, whole.max)
    assert shuffled.mae == pytest.approx(whole.mae, rel=1e-12)
    table[table.dry == 0].head(3).to_csv(tmp_path / "canopy.csv.gz", index=False)
    assert [r.n for r in oracle.compare_all(tmp_path)] == [3]


def test_a_missed_bound_is_told_and_fails(oracle, data, tmp_path, capsys):
    table = pd.read_csv(data / "leaf.csv.gz", nrows=50)
    table.loc[7, "a_net_umol"] += 0.01
    table.to_csv(tmp_path / "leaf.csv.gz", index=False)
    assert oracle.main(["--data", str(tmp_path), "--json"]) == 1
    told = json.loads(capsys.readouterr().out)["rows"]
    assert [(r["mode"], r["missed"]) for r in told] == [("beps", ["max"]), ("default", [])]
    assert told[0]["n"] == 50
    assert oracle.main(["--data", str(tmp_path)]) == 1
    assert "max 0.0001 MISSED" in capsys.readouterr().out


def test_nan_misses_a_bound(oracle):
    row = oracle.compare(("leaf", "all", "beps"), "a", np.array([np.nan]), np.ones(1), bounds={"max": 1.0, "r2": 0.9})
    assert row.missed == ["max", "r2"]


def test_tables_that_cannot_be_compared_are_named(oracle, data, tmp_path, capsys):
    assert oracle.main(["--data", str(tmp_path)]) == 2
    assert "got none of them" in capsys.readouterr().err
    table = pd.read_csv(data / "leaf.csv.gz", nrows=5)
    table.drop(columns="m_bb").to_csv(tmp_path / "leaf.csv.gz", index=False)
    assert oracle.main(["--data", str(tmp_path)]) == 2
    assert "leaf.csv.gz: expected the columns" in (error := capsys.readouterr().err)
    assert error.endswith("missing m_bb\n")
    (tmp_path / "leaf.csv.gz").unlink()
    shutil.copy(data / "site_daily.csv.gz", tmp_path)
    assert oracle.main(["--data", str(tmp_path)]) == 2
    assert "expected site_hourly.csv.gz" in capsys.readouterr().err
    with gzip.open(tmp_path / "canopy.csv.gz", "wt") as file:
        file.write(",".join(pd.read_csv(data / "canopy.csv.gz", nrows=1).columns) + "\n")
    assert oracle.main(["--data", str(tmp_path)]) == 2
    assert "canopy.csv.gz: expected rows, got none" in capsys.readouterr().err
