"""Evaluate all methods under every scheme and write the tables of docs/evaluation.md.

    python benchmarks/evaluation.py --towers DIR --out DIR [--threads 2] [--docs]

Evaluations that `--out` holds already are not run again. The protocol of FLUXtrapolation and the four claims of Guan et
al. (2025) alone, from its folder:

    gppcore evaluate --protocol fluxtrapolation --towers DIR --out DIR/protocol
    python benchmarks/evaluation.py --protocol DIR/protocol [--regional DIR/regional]
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from gppcore.cli.evaluate import HELD_OUT
from gppcore.evaluation import metrics
from gppcore.evaluation.methods import MethodSuite
from gppcore.evaluation.protocol import FIGURES
from gppcore.evaluation.result import write
from gppcore.evaluation.run import EvaluationOptions, evaluate_towers, prepared_suite
from gppcore.evaluation.schemes import By, Scheme
from gppcore.runtime import in_processes

RUNS: tuple[tuple[Scheme, By], ...] = (
    ("own", "koeppen"),  # the longest first
    ("few_towers", "koeppen"),
    ("regional", "koeppen"),
    ("regional", "continent"),
    ("site", "koeppen"),
    ("temporal", "koeppen"),
)
SETS = ("small", "full")
DOCS = Path(__file__).parents[1] / "docs" / "evaluation.md"
BEGIN, END = "<!-- measured -->", "<!-- end -->"
TROPIC = 23.5
"""Latitude of the tropics [degree]."""
METHODS = ("process_beps", "process", "process_calibrated", "direct", "pretrain_continue", "transfer")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--towers", type=Path)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--protocol", type=Path, help="folder of the protocol, whose tables are printed")
    parser.add_argument("--regional", type=Path, help="folder of the scheme regional, for the claims")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--docs", action="store_true", help="write the tables into docs/evaluation.md")
    args = parser.parse_args()
    if args.protocol:
        print(protocol(args.protocol), claims(args.protocol, args.regional), sep="\n\n")
        return
    folders = {(p, *run): args.out / "-".join((p, *run)) for p in SETS for run in RUNS}
    evaluate_all(args.towers, {key: each for key, each in folders.items() if not each.exists()}, args.threads)
    found = {key: _result(folder) for key, folder in folders.items()}
    text = tables(found)
    print(text)
    if args.docs:
        page = DOCS.read_text()
        head, tail = page.split(BEGIN)[0], page.split(END)[1]
        DOCS.write_text(f"{head}{BEGIN}\n\n{text}\n{END}{tail}")


def evaluate_all(towers: Path, folders: Mapping[tuple[str, Scheme, By], Path], n_processes: int) -> None:
    """Evaluate schemes side by side, each in a process; those of a set of predictors share its source domain."""
    begin = time.perf_counter()
    sets = {predictors for predictors, *_ in folders}
    shared = EvaluationOptions(towers, n_threads=n_processes)
    suites = {name: prepared_suite(replace(shared, predictors=name)) for name in sorted(sets)}
    tasks = [
        (EvaluationOptions(towers, None, scheme, by, predictors), suites[predictors], folder)
        for (predictors, scheme, by), folder in folders.items()
    ]
    for folder in in_processes(evaluate_one, tasks, n_processes):
        print(f"{time.perf_counter() - begin:6.0f} s  {folder.name}", file=sys.stderr, flush=True)


def evaluate_one(options: EvaluationOptions, suite: MethodSuite, folder: Path) -> Path:
    write(folder, *evaluate_towers(options, suite))
    return folder


def protocol(folder: Path) -> str:
    """Return the figures of the protocol as Markdown."""
    found = json.loads((folder / "protocol.json").read_text())["held_out"]
    rows = [
        "| held out | method | R2 | RMSE of towers: median | 90th percentile | NSE of towers: median | worst tenth |",
        "|---|---|---|---|---|---|---|",
    ]
    for scheme, held_out in found.items():
        for method, skill in held_out["methods"].items():
            name = f"{HELD_OUT[scheme]} ({held_out['months']} months of {held_out['towers']})"
            figures = [skill[each] for each in FIGURES if each != "rmse"]
            rows.append(f"| {name} | `{method}` | " + " | ".join(f"{value:.3f}" for value in figures) + " |")
    return "\n".join(rows)


def claims(folder: Path, regional: Path | None) -> str:
    """Return a line for each claim of the framework, as Markdown."""
    site = _result(folder / "site")
    of = site["methods"]
    rows = ["| claim | measured |", "|---|---|"]
    for other, label in (("direct", "better than direct learning"), ("process_beps", "better than BEPS")):
        less = of["transfer"]["rmse_monthly"] - of[other]["rmse_monthly"]
        gain = _gain(site["differences"][f"transfer - {other}"]["r2"])
        rows.append(f"| {label}, new towers | R2 {gain}, RMSE {less:+.1f} g C m-2 month-1 |")
    folders = {"later years": folder / "temporal", "warmer climates": folder / "warmer", "other regions": regional}
    for label, where in folders.items():
        if where is not None:
            gains = _result(where)["differences"]
            over = ", ".join(f"over `{m}` {_gain(gains[f'transfer - {m}']['r2'])}" for m in ("direct", "process_beps"))
            rows.append(f"| the same in {label} | R2 {over} |")
    for figure, label in (("bias_top_decile", "high GPP"), ("bias_bottom_quartile", "low GPP")):
        bias = ", ".join(f"`{m}` {of[m][figure]:+.2f}" for m in ("process_beps", "direct", "transfer"))
        rows.append(f"| {label}: bias, g C m-2 d-1 | {bias} |")
    table = pd.read_csv(folder / "site" / "predictions.csv.gz")
    tropics = table[table["site_id"].map(lambda name: abs(site["places"][name][0]) <= TROPIC)]
    found = {m: metrics.skill(tropics["observed"], tropics[m]) for m in ("process_beps", "direct", "transfer")}
    near = ", ".join(f"`{m}` {each['r2']:.2f} / {each['bias']:+.2f}" for m, each in found.items())
    rows.append(
        f"| tropics ({len(tropics)} months of {tropics['site_id'].nunique()} towers): R2 / bias | {near} |",
    )
    return "\n".join(rows)


def _result(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "evaluation.json").read_text())
    return found


def tables(found: dict[tuple[str, str, str], dict[str, Any]]) -> str:
    """Return R2 by method, the gains of transfer, and R2 with own months, as Markdown."""
    rows = [
        "| held out | predictors | " + " | ".join(f"`{m}`" for m in METHODS) + " |",
        "|---|---|" + "---|" * len(METHODS),
    ]
    over = " | ".join(f"over `{m}`" for m in ("direct", "process_calibrated", "process", "process_beps"))
    gains = [
        f"| held out | predictors | {over} | RMSE less than `process_beps` | coverage of the 90 % interval |",
        "|---|---|---|---|---|---|---|---|",
    ]
    own = [
        "| own months | predictors | towers | `process_calibrated` | `unadapted` | `climatology` | `transfer` |",
        "|---|---|---|---|---|---|---|",
    ]
    for (predictors, scheme, by), result in found.items():
        if scheme == "own":
            own += _own(predictors, result["own"])
            continue
        for label, skill, gain in _points(scheme, by, result):
            rows.append(f"| {label} | {predictors} | " + " | ".join(f"{skill[m]:.3f}" for m in METHODS) + " |")
            beps = result["methods"]["process_beps"]["rmse_monthly"] - result["methods"]["transfer"]["rmse_monthly"]
            coverage = result.get("interval", {}).get("coverage")
            gains.append(
                f"| {label} | {predictors} | {gain('direct')} | {gain('process_calibrated')} | {gain('process')} | "
                f"{gain('process_beps')} | {beps:.1f} | {'' if coverage is None else f'{coverage:.3f}'} |"
            )
    return "\n".join([*rows, "", *gains, "", *own, ""])


def _own(predictors: str, result: dict[str, Any]) -> list[str]:
    names = ("process_calibrated", "unadapted", "climatology", "transfer")
    return [
        f"| {label} | {predictors} | {own['sites']} | "
        + " | ".join(f"{own['methods'][m]['r2']:.3f}" for m in names)
        + " |"
        for label, own in result.items()
    ]


def _points(scheme: str, by: str, result: dict[str, Any]) -> list[tuple[str, dict[str, float], Any]]:
    if scheme == "few_towers":
        return [
            (
                f"all but {point['towers']} towers",
                {m: point["methods"][m]["r2"][0] for m in METHODS},
                lambda m, point=point: _gain(point["differences"][f"transfer - {m}"]["r2"]),
            )
            for point in result["learning_curve"]
        ]
    region = {"koeppen": "one Koeppen class", "continent": "one continent"}[by]
    label = {"site": "towers, 5 folds", "temporal": "later years", "regional": region}[scheme]
    skill = {m: result["methods"][m]["r2"] for m in METHODS}
    return [(label, skill, lambda m: _gain(result["differences"][f"transfer - {m}"]["r2"]))]


def _gain(gain: list[float]) -> str:
    return f"{gain[0]:+.3f} ({gain[1]:+.3f} to {gain[2]:+.3f})"


if __name__ == "__main__":
    main()
