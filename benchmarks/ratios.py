"""Compare the ratios of `report_quick.py` with those in baseline.json: `python benchmarks/ratios.py [--save]`.

A ratio is the time of a peer over that of gppcore, both measured in turn. It fails where it stays below 0.8 of the
baseline in every one of several tries: other programs on the machine can only slow a try down. The baseline is kept by
instruction set and processor; on others nothing is compared.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import report_quick

from gppcore import runtime

BASELINE = Path(__file__).with_name("baseline.json")
LEAST, TRIES = 0.8, 4


def machine() -> str:
    """Return the instruction set and the processor."""
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{runtime.isa()}, {names[0] if names else 'unknown processor'}"


def measured() -> dict[str, float]:
    """Return the ratio of every quick case."""
    return {case.name: round(case.ratio, 2) for case in report_quick.cases()}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--save", action="store_true", help="write the ratios of this machine into the baseline")
    options = parser.parse_args()
    baselines = json.loads(BASELINE.read_text(encoding="utf-8"))
    if options.save:
        baselines[machine()] = measured()
        BASELINE.write_text(json.dumps(baselines, indent=1) + "\n", encoding="utf-8")
        return 0
    if machine() not in baselines:
        print(f"no baseline for {machine()}, but for {sorted(baselines)}: nothing is compared")
        return 0
    wanted, best = baselines[machine()], dict.fromkeys(baselines[machine()], 0.0)
    for _ in range(TRIES):
        best = {name: max(best[name], ratio) for name, ratio in measured().items() if name in wanted}
        if all(best[name] >= LEAST * ratio for name, ratio in wanted.items()):
            break
    slow = {name for name, ratio in wanted.items() if best[name] < LEAST * ratio}
    for name, ratio in wanted.items():
        print(f"{name}: {best[name]:.3g}, baseline {ratio:.3g}{', TOO SLOW' if name in slow else ''}")
    return int(bool(slow))


if __name__ == "__main__":
    sys.exit(main())
