"""The numbers of an evaluation, and the folder that keeps them."""

import json

import numpy as np
import pandas as pd
import pytest

from gppcore.errors import DiskFullError, OutputExistsError, RangeError, ShapeError
from gppcore.evaluation.metrics import skill
from gppcore.evaluation.result import assemble, check_new, write
from gppcore.evaluation.table import methods_of

META = {"scheme": "site", "by": None, "predictors": "small", "towers": "towers", "folds": 5, "seed": 7}
METRICS = {
    "r2", "rmse", "rmse_monthly", "bias", "ubrmse", "kge", "slope", "bias_top_decile", "bias_bottom_quartile",
    "r2_between_site", "r2_within_site", "site_r2_median", "site_r2_p10", "site_r2_p90", "site_rmse_median",
    "site_rmse_p90", "n", "by_pft", "by_group",
}  # fmt: skip


def test_result_holds_every_method_and_figure(predictions):
    result = assemble(predictions, META, {"learning_curve": [1]})
    assert {name: result[name] for name in META} == META
    assert (result["rows"], result["sites"], result["clusters"]) == (480, 20, 12)
    assert list(result["methods"]) == ["process", "direct", "transfer"]
    assert all(set(figures) == METRICS for figures in result["methods"].values())
    assert set(result["methods"]["direct"]["by_pft"]) == {"ENF", "GRA", "DBF", "CRO"}
    assert set(result["methods"]["direct"]["by_group"]) == {"B", "C", "D"}
    assert set(result["differences"]) == {"transfer - process", "transfer - direct"}
    assert result["learning_curve"] == [1]
    part = predictions[predictions["pft"] == "GRA"]
    got, want = result["methods"]["direct"]["by_pft"]["GRA"], skill(part["observed"], part["direct"])
    assert got == {name: pytest.approx(want[name]) for name in ("r2", "rmse", "bias", "n")}


def test_without_transfer_nothing_is_compared(predictions):
    columns = ["transfer", "transfer_low", "transfer_high"]
    assert assemble(predictions.drop(columns=columns), META)["differences"] == {}


def test_written_numbers_are_json_of_six_digits_and_null(predictions, tmp_path):
    part = {"importance": {"tair": [np.float64(0.123456789), np.nan, np.inf]}, "n": np.int64(3), "x": np.arange(2)}
    write(tmp_path / "a", assemble(predictions, META, part), predictions)
    text = (tmp_path / "a" / "evaluation.json").read_text()
    assert "NaN" not in text
    got = json.loads(text)
    assert got["importance"] == {"tair": [0.123457, None, None]}
    assert (got["n"], got["x"]) == (3, [0, 1])
    want = skill(predictions["observed"], predictions["transfer"])["r2"]
    assert got["methods"]["transfer"]["r2"] == float(f"{want:.6g}")


def test_written_table_reads_back_to_six_digits(predictions, tmp_path):
    write(tmp_path / "a", assemble(predictions, META), predictions)
    got = pd.read_csv(tmp_path / "a" / "predictions.csv.gz")
    pd.testing.assert_frame_equal(got, predictions, rtol=1e-5, check_dtype=False)
    assert sorted(file.name for file in (tmp_path / "a").iterdir()) == ["evaluation.json", "predictions.csv.gz"]


def test_same_evaluation_gives_the_same_bytes(predictions, tmp_path):
    for name in ("a", "b"):
        write(tmp_path / name, assemble(predictions, META), predictions)
    for file in ("evaluation.json", "predictions.csv.gz"):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()


def test_a_folder_that_holds_something_is_refused_and_kept(predictions, tmp_path):
    result = assemble(predictions, META)
    (tmp_path / "empty").mkdir()
    write(tmp_path / "empty", result, predictions)
    before = (tmp_path / "empty" / "evaluation.json").read_bytes()
    with pytest.raises(OutputExistsError, match="holds something"):
        write(tmp_path / "empty", {**result, "seed": 8}, predictions)
    assert (tmp_path / "empty" / "evaluation.json").read_bytes() == before
    (tmp_path / "file").write_text("mine")
    with pytest.raises(OutputExistsError, match="file"):
        check_new(tmp_path / "file")


def test_a_full_disk_leaves_nothing(predictions, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_bytes", full)
    with pytest.raises(DiskFullError):
        write(tmp_path / "a", assemble(predictions, META), predictions)
    assert list(tmp_path.iterdir()) == []


def test_methods_are_the_other_columns(predictions):
    assert methods_of(predictions) == ("process", "direct", "transfer")


def test_a_wrong_table_is_refused(predictions):
    with pytest.raises(ShapeError, match=r"got none of \['cluster'\]"):
        methods_of(predictions.drop(columns="cluster"))
    with pytest.raises(ShapeError, match="a method and 2 rows, got 0 and 480"):
        methods_of(predictions.drop(columns=["process", "direct", "transfer"]))
    with pytest.raises(ShapeError, match="got 3 and 1"):
        methods_of(predictions.head(1))
    with pytest.raises(RangeError, match="direct: expected finite GPP, got 1 rows"):
        methods_of(predictions.assign(direct=predictions["direct"].where(predictions.index != 5)))
    with pytest.raises(RangeError, match="pft: expected a label in every row, got 1 rows"):
        methods_of(predictions.assign(pft=predictions["pft"].where(predictions.index != 5)))
    with pytest.raises(RangeError, match=r"meta: .* got none of \['seed'\]"):
        assemble(predictions, {name: value for name, value in META.items() if name != "seed"})
