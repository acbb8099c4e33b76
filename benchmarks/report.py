"""Time one group of kernels against its peers in one run: `python benchmarks/report.py NAME [--json] [--docs]`.

A group is a module `report_NAME.py` beside this file with a function `cases()`. Each checks that gppcore and its
peers give the same answer before it times them.
"""

from __future__ import annotations

import argparse
import importlib
import json
import re
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from timing import Case

from gppcore import runtime

HERE = Path(__file__).resolve().parent
GROUPS = sorted(path.stem.removeprefix("report_") for path in HERE.glob("report_*.py"))
DOCUMENTS = ("README.md", "docs/performance.md")


def figure(value: float | None) -> str:
    """Write a number with three digits."""
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def table(cases: Sequence[Case]) -> str:
    """Write the cases as a Markdown table."""
    rows = ["| case | gppcore | peers | ratio | goal |", "|---|---|---|---|---|"]
    for case in cases:
        peers = ", ".join(f"{name} {figure(value)}" for name, value in case.peers.items())
        ratio, goal = figure(case.ratio or None), figure(case.goal)
        rows.append(f"| {case.name} | {figure(case.ours)} {case.unit} | {peers} | {ratio} | {goal} |")
    return "\n".join(rows)


def write_documents(name: str, text: str) -> None:
    """Put the table between the markers of this group, in every document that has them."""
    pattern = re.compile(rf"(<!-- report:{name} -->\n).*?(<!-- report end -->)", re.DOTALL)
    for document in DOCUMENTS:
        path = HERE.parent / document
        old = path.read_text(encoding="utf-8")
        new = pattern.sub(lambda match: f"{match[1]}{text}\n{match[2]}", old)
        if new != old:
            path.write_text(new, encoding="utf-8")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", choices=GROUPS)
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--docs", action="store_true", help="write the table between its markers in the documents")
    options = parser.parse_args(arguments)
    group = importlib.import_module(f"report_{options.name}")
    isa = runtime.isa()
    cases = []
    for case in group.cases():
        cases.append(case)
        print(f"{case.name}: {figure(case.ours)} {case.unit}, ratio {figure(case.ratio)}", file=sys.stderr, flush=True)
    if options.json:
        extra = getattr(group, "totals", dict)()
        print(json.dumps({"isa": isa, "cases": [asdict(case) for case in cases], **extra}, indent=1))
    else:
        print(table(cases))
    if options.docs:
        write_documents(options.name, f"Instruction set {isa}.\n\n{table(cases)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
