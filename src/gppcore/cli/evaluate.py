"""What ``gppcore evaluate`` prints and writes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from gppcore.errors import RangeError
from gppcore.evaluation.methods import METHODS
from gppcore.evaluation.peers import PEERS
from gppcore.evaluation.protocol import FIGURES, PROTOCOLS, summarise
from gppcore.evaluation.result import NUMBERS, check_new, write
from gppcore.evaluation.run import EvaluationOptions, evaluate_towers, prepared_suite
from gppcore.io.durable import write_json

HELD_OUT = {"site": "towers", "warmer": "warmer climates", "temporal": "later years"}
_COLUMNS = {"r2": "R2", "rmse": "RMSE", "bias": "bias"}


def run_evaluation(options: EvaluationOptions, out: Path, *, as_json: bool) -> None:
    """Evaluate, write the folder with its report, and print a table, or JSON."""
    check_new(out)
    progress = Console(stderr=True)
    with progress.status("Source domain: process model and its emulators") as status:
        found, predictions = evaluate_towers(options, progress=lambda label: status.update(f"{label} done"))
    write(out, found, predictions)
    from gppcore.report.evaluation import write_evaluation_report

    write_evaluation_report(out, n_processes=options.n_threads)
    if as_json:
        print((out / NUMBERS).read_text("utf-8"), end="")
        return
    Console().print(skill_table(found))
    Console().print(f"Report   {out / 'report.html'}\nNumbers  {out / NUMBERS}")


def run_protocol(name: str, options: EvaluationOptions, out: Path, *, as_json: bool) -> None:
    """Evaluate all hold-outs of a protocol with the peers, each in a folder of its own, and print its table."""
    if name not in PROTOCOLS:
        raise RangeError(f"--protocol: expected one of {list(PROTOCOLS)}, got {name!r}")
    check_new(out)
    from gppcore.report.evaluation import write_evaluation_report

    results: dict[str, dict[str, Any]] = {}
    out.mkdir(parents=True, exist_ok=True)
    options = replace(options, methods=(*METHODS, *PEERS))
    with Console(stderr=True).status("Source domain: process model and its emulators"):
        suite = prepared_suite(options)
    for scheme in PROTOCOLS[name]:
        with Console(stderr=True).status(f"Held out: {HELD_OUT[scheme]}"):
            found, predictions = evaluate_towers(replace(options, scheme=scheme), suite)
        write(out / scheme, found, predictions)
        write_evaluation_report(out / scheme, n_processes=options.n_threads)
        results[scheme] = found
    summary = summarise(name, results)
    write_json(out / "protocol.json", summary)
    if as_json:
        print((out / "protocol.json").read_text("utf-8"), end="")
        return
    for scheme, held_out in summary["held_out"].items():
        table = Table(title=f"{HELD_OUT[scheme]}: {held_out['months']} months of {held_out['towers']} towers")
        table.add_column("method", no_wrap=True)
        for title in FIGURES.values():
            table.add_column(title, justify="right")
        for method, figures in held_out["methods"].items():
            table.add_row(method, *(f"{figures[name]:.3f}" for name in FIGURES))
        Console().print(table)
    Console().print(f"Reports  {out}/*/report.html\nNumbers  {out / 'protocol.json'}")


def skill_table(found: Mapping[str, Any]) -> Table:
    """Return the skill of every method, and what transfer gains over it."""
    table = Table(title=f"{found['scheme']}, {found['predictors']} predictors: {found['sites']} towers")
    table.add_column("method", no_wrap=True)
    for title in (*_COLUMNS.values(), "gain of transfer, R2"):
        table.add_column(title, justify="right", no_wrap=True)
    for name, skill in found["methods"].items():
        gain = found["differences"].get(f"transfer - {name}", {}).get("r2")
        interval = f"{gain[0]:+.3f} ({gain[1]:+.3f} to {gain[2]:+.3f})" if gain else ""
        table.add_row(name, *(f"{skill[key]:.3f}" for key in _COLUMNS), interval)
    return table
