"""Skill of the process model at towers before and after calibration, at towers that the fit has not seen.

`python benchmarks/calibration.py --towers DIR [--json]`: DIR is a folder of towers (docs/towers.md). Five folds over
clusters of towers within 50 km; parameters are fitted on the other folds only.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from typing import Any

import numpy as np

from gppcore.calibration.fit import calibrate
from gppcore.calibration.priors import Prior
from gppcore.evaluation.holdout import Evaluation, evaluate, skill
from gppcore.features import STATIC_PREDICTORS, Samples
from gppcore.process.simulate import simulate
from gppcore.statistics import FOLDS, assign_folds
from gppcore.towers import Towers, read_towers
from gppcore.towers.process import process_gpp

SETS = (("vcmax25",), ("vcmax25", "g1"), ("vcmax25", "psi_exponent"), ("vcmax25", "g1", "psi_exponent"))
TWO_YEARS = 24
BEFORE = "before"
BY_TYPE = "vcmax25 + psi_exponent, by type alone"


def label(parameters: tuple[str, ...]) -> str:
    return " + ".join(parameters)


def calibrated(
    towers: Towers, parameters: tuple[str, ...], covariates: tuple[str, ...] | None = None
) -> Callable[[Samples, Samples], Any]:
    """Return the method that fits these parameters to training samples and simulates test samples."""

    def method(train: Samples, test: Samples) -> Any:
        return process_gpp(
            towers.at(test), calibrate(towers.at(train), parameters=parameters, covariates=covariates).pfts
        )

    return method


def by_class(samples: Samples, judged: Evaluation, names: tuple[str, str]) -> dict[str, dict[str, Any]]:
    """Return the skill of two methods by land cover class of the towers."""
    groups = samples.groups.iloc[judged.rows]
    found = {}
    for igbp in sorted(set(groups["pft"])):
        of = (groups["pft"] == igbp).to_numpy()
        own: dict[str, Any] = {"sites": int(groups["site"][of].nunique()), "months": int(of.sum())}
        found[igbp] = own | {name: skill(judged.observed[of], judged.predicted[name][of]) for name in names}
    return found


def spread(samples: Samples, judged: Evaluation, name: str) -> dict[str, float]:
    """Return the standard deviation of held-out mismatches and their correlation within clusters."""
    error = judged.predicted[name] - judged.observed
    cluster = samples.groups["cluster"].to_numpy()[judged.rows]
    means = np.array([error[cluster == c].mean() for c in np.unique(cluster)])
    within = np.mean([error[cluster == c].var(ddof=1) for c in np.unique(cluster) if (cluster == c).sum() > 1])
    return {"sd": float(error.std()), "correlation": float(means.var() / (means.var() + within))}


def own_vcmax25(towers: Towers) -> dict[str, float]:
    """Compare Vcmax25 that towers have with the interval of a calibration without their cluster.

    A tower of two years or more has the one that fits its months best, one factor for all of its types.
    """
    fold, inside, reach = assign_folds(towers.row_clusters, FOLDS), [], []
    site = towers.gpp["site_id"].to_numpy()
    alone = {"vcmax25": Prior(type_sd=1e-3, common_sd=1.0)}
    for k in range(FOLDS):
        known = calibrate(towers.rows(fold != k), parameters=SETS[2]).pfts
        for name in np.unique(site[fold == k]):
            own = towers.rows(site == name)
            if len(own.gpp) < TWO_YEARS:
                continue
            cell = np.array([towers.sites.index.get_loc(name)])
            place = {
                each: towers.forcing_at(each, np.zeros(1, int), cell) for each in (*STATIC_PREDICTORS, *known.names)
            }
            mean, low, high = (float(each[0]) for each in known.canopy_vcmax25(place))
            at_place = {each: replace(pft, vcmax25=float(known.vcmax25(each, place)[0])) for each, pft in known.items()}
            fit = calibrate(own, pfts=at_place, covariates=(), priors=alone, correlation=0.05)
            grown = max(fit.estimates, key=lambda each: float(place.get(f"fraction_{each}", [0.0])[0]))
            found = mean * fit.estimates[grown]["vcmax25"].value / fit.estimates[grown]["vcmax25"].before
            inside.append(low <= found <= high)
            reach.append(high / mean - 1.0)
    return {"towers": len(inside), "inside": float(np.mean(inside)), "reach": float(np.median(reach))}


def measure(folder: str) -> dict[str, Any]:
    towers = read_towers(folder)
    samples = towers.samples(simulate(towers.forcing))
    methods: dict[str, Callable[[Samples, Samples], Any]] = {BEFORE: lambda _, test: test.process}
    methods[BY_TYPE] = calibrated(towers, SETS[2], ())
    judged = evaluate(methods | {label(names): calibrated(towers, names) for names in SETS}, samples)
    fits = {}
    slopes = calibrate(towers, parameters=SETS[2]).pfts.covariates
    for names in SETS:
        start = time.process_time()
        fit = calibrate(towers, parameters=names)
        content = {key: value for key, value in asdict(fit).items() if key not in ("pfts", "sites")}
        fits[label(names)] = content | {"towers": len(fit.sites), "cpu_seconds": time.process_time() - start}
    best = label(SETS[2])
    return {
        "held_out": judged.skill,
        "best": best,
        "slopes": {c.name: c.slope for c in slopes},
        "by_class": by_class(samples, judged, (BEFORE, best)),
        "mismatch": spread(samples, judged, best),
        "own_vcmax25": own_vcmax25(towers.at(samples)),
        "fits": fits,
    }


def tables(found: Mapping[str, Any]) -> str:
    """Write the results as Markdown."""
    lines = ["| fitted | R2 | RMSE | bias | CPU seconds of the fit |", "|---|---|---|---|---|"]
    for name, own in found["held_out"].items():
        seconds = f"{found['fits'][name]['cpu_seconds']:.1f}" if name in found["fits"] else ""
        lines.append(f"| {name} | {own['r2']:.3f} | {own['rmse']:.2f} | {own['bias']:+.2f} | {seconds} |")
    best = found["best"]
    lines += ["", f"By class, {best}:", ""]
    lines += ["| class | towers | months | R2 | RMSE | bias |", "|---|---|---|---|---|---|"]
    for igbp, own in found["by_class"].items():
        cells = [
            f"{own[BEFORE][k]:{f}} -> {own[best][k]:{f}}" for k, f in (("r2", ".2f"), ("rmse", ".2f"), ("bias", "+.2f"))
        ]
        lines.append(f"| {igbp} | {own['sites']} | {own['months']} | " + " | ".join(cells) + " |")
    parameters = best.split(" + ")
    lines += ["", "| type | " + " | ".join(parameters) + " |", "|---" * (len(parameters) + 1) + "|"]
    for name, own in found["fits"][best]["estimates"].items():
        cells = [f"{e['before']:.3g} -> {e['value']:.3g} ± {e['sd']:.2g}" for e in (own[p] for p in parameters)]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    lines += ["", f"Change of log vcmax25 per standard deviation: {found['slopes']}"]
    mismatch = found["mismatch"]
    lines += [
        "",
        f"Held-out mismatch: sd {mismatch['sd']:.2f}, correlation within clusters {mismatch['correlation']:.2f}.",
    ]
    own = found["own_vcmax25"]
    lines.append(
        f"Vcmax25 of {own['towers']} towers lies inside the 90 % interval of a calibration without them at "
        f"{own['inside']:.3f}; the upper bound is {own['reach']:.0%} above the mean."
    )
    return "\n".join(lines)


def run(description: str, measure: Callable[[str], Any], tables: Callable[[Any], str]) -> int:
    """Measure on the folder that the command line names, and print tables or JSON."""
    parser = argparse.ArgumentParser(description=description.splitlines()[0])
    parser.add_argument("--towers", required=True, help="folder of towers (docs/towers.md)")
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    options = parser.parse_args()
    found = measure(options.towers)
    print(json.dumps(found, indent=1) if options.json else tables(found))
    return 0


if __name__ == "__main__":
    sys.exit(run(__doc__, measure, tables))
