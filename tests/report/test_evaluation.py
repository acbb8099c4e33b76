"""The report of an evaluation: what was written is on the page, and what is absent is left out."""

import json

import numpy as np
import pandas as pd
import pytest

from gppcore.errors import MissingFileError, RangeError
from gppcore.report.evaluation import write_evaluation_report
from gppcore.report.evaluation_data import read_results
from gppcore.report.evaluation_figures import differences, learning, seasonal, skill_by, taylor

METHODS = ("process", "process_calibrated", "direct", "pretrain_continue", "transfer")
TYPES = ("ENF", "GRA", "CSH")
YEARS = {
    "r2_anomalies": 0.123,
    "trend_towers": 4,
    "trend_bias": -0.0123,
    "trend_rmse": 0.0456,
    "trend_sign": 0.75,
    "bias_by_decile": [0.1 * i - 0.5 for i in range(10)],
}
ALWAYS = {"scatter", "taylor"}
OPTIONAL = {
    "differences",
    "by_group",
    "by_pft",
    "seasonal",
    "learning",
    "importance",
    "partial_dependence",
    "reliability",
    "towers_group",
    "towers_rmse",
    "towers_bias",
    "deciles",
}


def predictions():
    rng = np.random.default_rng(3)
    site = np.repeat(np.arange(14), 24)
    month = np.tile(np.arange(24) % 12 + 1, 14)
    observed = 4.0 - 3.0 * np.cos(month / 6 * np.pi) + rng.gamma(1.0, 1.0, site.size)
    pft = np.array(["ENF"] * 6 + ["GRA"] * 6 + ["CSH"] * 2)[site]
    where = {"site_id": site, "cluster": site, "pft": pft, "group": pft, "year": 2005, "month": month}
    columns = {method: observed + rng.normal(size=site.size) * (3 - i / 2) for i, method in enumerate(METHODS)}
    return pd.DataFrame({**where, "observed": observed, **columns})


def skill(rows, method):
    error = rows[method] - rows["observed"]
    return {
        "r2": 1 - float((error**2).mean() / rows["observed"].var(ddof=0)),
        "rmse": float((error**2).mean() ** 0.5),
        "bias": float(error.mean()),
        "n": len(rows),
    }


def numbers(rows):
    def by(column, method):
        return {name: skill(part, method) for name, part in rows.groupby(column)}

    methods = {
        method: {
            **skill(rows, method),
            "rmse_monthly": 61.25,
            "kge": None,
            "by_pft": by("pft", method),
            "by_group": by("group", method),
        }
        for method in METHODS
    }
    gain = {"r2": [0.085, 0.031, 0.142], "rmse": [-0.25, -0.5, 0.0]}
    loss = {"r2": [-0.02, -0.04, -0.01], "rmse": [0.1, 0.05, 0.15]}
    pairs = {"transfer - direct": gain, "transfer - process": loss}
    fluorescence = {"all": 0.701, "between_site": 0.5, "by_pft": {"ENF": 0.625, "GRA": None}}
    curve = [
        {
            "towers": n,
            "draws": 8,
            "methods": {method: {"r2": [0.5, 0.4, 0.6], "rmse": [2.0, 1.5, 2.5]} for method in METHODS},
            "differences": pairs,
        }
        for n in (20, 5, 10)
    ]
    return {
        "scheme": "few_towers", "by": None, "predictors": "small", "towers": "folder <x>", "rows": len(rows),
        "sites": 14,
        "clusters": 14, "folds": 5, "seed": 7, "methods": methods, "differences": pairs, "learning_curve": curve,
        "interval": {
            "nominal": 0.9,
            "coverage": 0.88,
            "by_pft": {"ENF": [0.87, 144], "GRA": [0.9, 144], "CSH": [None, 0]},
            "reliability": [[0.5, 0.45], [0.9, 0.88]],
            "means": {"years of a tower": [0.953, 328]},
            "by_dissimilarity": {"0 to 0.3": [0.91, 1.89, 2644]},
        },
        "importance": {"tair": [0.2, 0.1, 0.3], "vpd": [0.05, -0.01, 0.1]},
        "partial_dependence": {"tair": {"x": [0, 10, 20], "gpp_daily": [1.0, 3.0, 5.0]}},
        "sif": dict.fromkeys(METHODS, fluorescence),
        "places": {str(site): [50.0 if site < 9 else -20.0, 3.0 * site] for site in range(14)},
        "variability": dict.fromkeys(METHODS, YEARS),
    }  # fmt: skip


def write(folder, content=None, rows=None):
    rows = predictions() if rows is None else rows
    (folder / "evaluation.json").write_text(json.dumps(numbers(rows) if content is None else content))
    rows.to_csv(folder / "predictions.csv.gz", index=False)
    return folder


@pytest.fixture(scope="module")
def written(tmp_path_factory, parse):
    path = write_evaluation_report(write(tmp_path_factory.mktemp("evaluation")))
    return path, parse(path)


@pytest.fixture(scope="module")
def results(written):
    return read_results(written[0].parent)


def test_own_months_have_a_page(tmp_path, parse):
    """The scheme `own` has no reliability by level, since each tower has an adapted model of its own."""
    content = numbers(predictions())
    del content["interval"]["reliability"], content["interval"]["means"], content["interval"]["by_dissimilarity"]
    del content["learning_curve"], content["variability"], content["importance"], content["partial_dependence"]
    content["scheme"] = "own"
    each = {method: {"r2": 0.815, "rmse": 1.5} for method in METHODS}
    content["own"] = {"6 months": {"sites": 103, "rows": 5000, "methods": each}}
    page = write_evaluation_report(write(tmp_path, content)).read_text()
    assert "Coverage of the 90 % intervals." in page
    assert "6 months" in page
    assert "0.815" in page


def test_every_figure_is_embedded_and_lies_beside_the_page(written, figures):
    path, page = written
    assert path.name == "report.html"
    figures(path, page)
    assert {file.stem for file in path.parent.glob("*.png")} == ALWAYS | OPTIONAL
    assert not {"script", "link", "iframe"} & set(page.tags)


def test_methods_are_explained(written):
    assert [row[0] for row in written[1].tables["methods"]] == [method.replace("_", " ") for method in METHODS]


def test_the_table_of_skill_holds_the_numbers(written):
    rows = written[1].tables["skill"]
    assert [row[0] for row in rows[2:]] == [method.replace("_", " ") for method in METHODS]
    told = skill(predictions(), "transfer")
    assert rows[6][1:4] == [f"{told['r2']:.3f}", f"{told['rmse']:.2f}", "61.2"]
    assert rows[6][6] == "\N{EN DASH}"  # an efficiency that is null
    assert rows[6][8] == "336"


def test_means_and_classes_of_dissimilarity_have_their_coverage(written):
    tables = written[1].tables
    assert tables["means"][1] == ["years of a tower", "0.953", "328"]
    assert tables["dissimilarity"][1] == ["0 to 0.3", "0.910", "1.89", "2,644"]


def test_differences_come_with_their_intervals(written):
    rows = written[1].tables["differences"]
    assert rows[1][0] == "transfer \N{MINUS SIGN} direct"
    assert "".join(rows[1][1].split()) == "+0.085[+0.031,+0.142]"
    assert "".join(rows[2][2].split()) == "+0.10[+0.05,+0.15]"


def test_anomalies_and_trends_have_a_table(written):
    minus = "\N{MINUS SIGN}"
    assert written[1].tables["variability"][5] == ["transfer", "0.123", "4", f"{minus}0.012", "0.046", "0.75"]


def test_towers_with_months_of_their_own_have_a_table(tmp_path, parse, undrawn):
    names = ("transfer", "unadapted", "climatology")
    rows = predictions().rename(columns=dict(zip(METHODS, (*names, "x", "y"), strict=True))).drop(columns=["x", "y"])
    content = {**numbers(predictions()), "scheme": "own", "differences": {}}
    content["methods"] = {name: skill(rows, name) for name in names}
    for name in ("learning_curve", "sif", "variability", "importance", "partial_dependence", "interval", "places"):
        del content[name]
    own = {"sites": 14, "rows": 336, "methods": {key: {"r2": 0.5, "rmse": 1.25} for key in names}}
    content["own"] = {"3 months": own, "12 months": own}
    with undrawn():
        page = parse(write_evaluation_report(write(tmp_path, content, rows)))
    assert page.tables["own"][2] == ["3 months", "14", "336", *["0.500", "1.25"] * 3]
    assert [row[0] for row in page.tables["methods"]] == list(names)


def test_the_table_of_fluorescence_has_every_method(written):
    rows = written[1].tables["sif"]
    assert rows[0] == ["method", "all", "between towers", "ENF", "GRA"]
    assert rows[5] == ["transfer", "0.701", "0.500", "0.62", "\N{EN DASH}"]


def test_text_is_escaped_and_tells_caveats(written):
    path, page = written
    assert "folder &lt;x&gt;" in path.read_text()
    assert "skill is uncertain: CSH." in page.text
    assert "means over 8 draws" in page.text
    assert "few towers to learn from" in page.text


def test_what_was_not_evaluated_is_left_out(tmp_path, parse, undrawn):
    rows = predictions()
    rows["pft"] = rows["site_id"].astype(str)  # no type has three towers
    content = numbers(rows)
    for name in ("learning_curve", "interval", "importance", "partial_dependence", "sif", "places", "variability"):
        del content[name]
    content["differences"] = {}
    content["scheme"] = "temporal"
    content["methods"] = {
        method: {key: values[key] for key in ("r2", "rmse", "bias")} for method, values in content["methods"].items()
    }
    with undrawn():
        page = parse(write_evaluation_report(write(tmp_path, content, rows)))
    assert {file.stem for file in tmp_path.glob("*.png")} == ALWAYS
    assert set(page.tables) == {"skill", "methods", "provenance"}
    assert "does not measure skill at places without towers" in page.text


def test_a_region_names_its_groups_and_some_methods_are_enough(tmp_path, parse, undrawn):
    content = {**numbers(predictions()), "scheme": "regional", "by": "koeppen"}
    content["methods"] = {method: content["methods"][method] for method in ("transfer", "process")}
    for name in ("learning_curve", "interval", "importance", "partial_dependence"):
        del content[name]
    with undrawn():
        page = parse(write_evaluation_report(write(tmp_path, content)))
    assert "whole regions held out, by Koeppen class" in page.text
    assert [row[0] for row in page.tables["skill"][2:]] == ["process", "transfer"]


def test_bars_and_points_stand_at_the_numbers(results):
    skill_of = results.numbers["methods"]
    r2, rmse = skill_by(results, 10.4, key="by_pft").axes
    bars = r2.containers[4]  # those of transfer
    expected = [max(skill_of["transfer"]["by_pft"][pft]["r2"], -0.5) for pft in ("ENF", "GRA", "CSH")]
    assert [bar.get_height() for bar in bars] == pytest.approx(expected)
    assert rmse.containers[0][1].get_height() == skill_of["process"]["by_pft"]["GRA"]["rmse"]
    (star, *points) = [
        line for line in taylor(results, 5.1).axes[0].lines if line.get_marker() not in (None, "None", "")
    ]
    assert star.get_marker() == "*"
    known = results.predictions
    r = np.corrcoef(known["observed"], known["direct"])[0, 1]
    assert np.cos(points[2].get_xdata()[0]) == pytest.approx(r)
    assert points[2].get_ydata()[0] == pytest.approx(known["direct"].std() / known["observed"].std())


def test_learning_curves_are_in_the_order_of_towers(results):
    figure = learning(results, 10.4)
    for axes in figure.axes:
        (line, *_) = axes.lines
        assert list(line.get_xdata()) == [5, 10, 20]
    assert len(figure.axes[2].lines) == 3  # two pairs and the line at 0


def test_differences_that_hold_zero_are_told_apart(results):
    colours = [line.get_color() for line in differences(results, 5.1).axes[0].lines[:4:2]]
    assert colours[0] != colours[1]


def test_seasons_are_means_of_the_held_out_months(results):
    figure = seasonal(results, 10.4)
    assert [axes.get_title() for axes in figure.axes] == [
        "ENF, north (6 towers)",
        "GRA, north (3 towers)",
        "GRA, south (3 towers)",
    ]
    rows = predictions()
    july = rows[(rows["pft"] == "GRA") & (rows["site_id"] < 9) & (rows["month"] == 7)]
    lines = figure.axes[1].lines
    assert lines[0].get_ydata()[6] == pytest.approx(july["observed"].mean())
    assert lines[5].get_ydata()[6] == pytest.approx(july["transfer"].mean())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c.pop("folds"), r"got none of \['folds'\]"),
        (lambda c: c["methods"].update(magic=c["methods"]["direct"]), "expected methods out of .* 'magic'"),
        (lambda c: c["methods"]["direct"].pop("rmse"), r"skill of direct .* got none of \['rmse'\]"),
        (lambda c: c["interval"].pop("coverage"), "entries of interval"),
        (lambda c: c.update(scheme="lunar"), "expected a scheme .* got 'lunar'"),
    ],
)
def test_numbers_that_are_not_whole_are_refused(tmp_path, change, message):
    content = numbers(predictions())
    change(content)
    with pytest.raises(RangeError, match=message):
        write_evaluation_report(write(tmp_path, content))


def test_files_that_are_missing_or_no_json_are_refused(tmp_path):
    write(tmp_path, rows=predictions())
    predictions().drop(columns="transfer").to_csv(tmp_path / "predictions.csv.gz", index=False)
    with pytest.raises(RangeError, match=r"predictions.csv.gz: expected the columns .* got none of \['transfer'\]"):
        write_evaluation_report(tmp_path)
    (tmp_path / "evaluation.json").write_text("{")
    with pytest.raises(RangeError, match="expected JSON"):
        write_evaluation_report(tmp_path)
    (tmp_path / "predictions.csv.gz").unlink()
    with pytest.raises(MissingFileError, match=r"expected predictions\.csv\.gz in"):
        write_evaluation_report(tmp_path)


def test_towers_are_told_by_the_group_they_were_held_out_with(written):
    seen = "Map of 14 towers by group: CSH: 2, ENF: 6, GRA: 6."
    assert any(text.endswith(seen) for text in written[1].alternatives)
