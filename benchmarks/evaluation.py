"""Evaluate all methods under every scheme and write the tables of docs/evaluation.md.

    python benchmarks/evaluation.py --towers DIR --out DIR [--threads 2] [--docs]

Evaluations that `--out` holds already are not run again.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from gppcore.cli.evaluate import run_evaluation
from gppcore.evaluation.run import EvaluationOptions

RUNS = (
    ("few_towers", "koeppen"),
    ("regional", "koeppen"),
    ("regional", "continent"),
    ("site", "koeppen"),
    ("temporal", "koeppen"),
    ("own", "koeppen"),
)
SETS = ("small", "full")
DOCS = Path(__file__).parents[1] / "docs" / "evaluation.md"
BEGIN, END = "<!-- measured -->", "<!-- end -->"
METHODS = ("process_beps", "process", "process_calibrated", "direct", "pretrain_continue", "transfer")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--towers", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--docs", action="store_true", help="write the tables into docs/evaluation.md")
    args = parser.parse_args()
    found = {}
    for predictors in SETS:
        for scheme, by in RUNS:
            folder = args.out / f"{predictors}-{scheme}-{by}"
            if not (folder / "evaluation.json").exists():
                options = EvaluationOptions(args.towers, None, scheme, by, predictors, n_threads=args.threads)
                run_evaluation(options, folder, as_json=False)
            found[predictors, scheme, by] = json.loads((folder / "evaluation.json").read_text())
    text = tables(found)
    print(text)
    if args.docs:
        page = DOCS.read_text()
        head, tail = page.split(BEGIN)[0], page.split(END)[1]
        DOCS.write_text(f"{head}{BEGIN}\n\n{text}\n{END}{tail}")


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
    label = {"site": "towers, 5 folds", "temporal": "later years", "regional": f"one {by} class"}[scheme]
    skill = {m: result["methods"][m]["r2"] for m in METHODS}
    return [(label, skill, lambda m: _gain(result["differences"][f"transfer - {m}"]["r2"]))]


def _gain(gain: list[float]) -> str:
    return f"{gain[0]:+.3f} ({gain[1]:+.3f} to {gain[2]:+.3f})"


if __name__ == "__main__":
    main()
