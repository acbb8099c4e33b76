"""Whether g1, the drought exponent and kn should follow the place, as Vcmax25 does: nested cross-validation.

`python benchmarks/place_parameters.py --towers DIR [--json]`: DIR is a folder of towers (docs/towers.md). Six designs,
fixed beforehand, are fitted to the training towers of every split, and again in four folds of their clusters. The
design with the highest R2 in these inner folds predicts the test towers: this is the gain that a user would see.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from calibration import run
from numpy.typing import NDArray
from scipy.optimize import least_squares
from threadpoolctl import threadpool_limits

from gppcore.calibration.priors import PRIORS, tightened, tightening
from gppcore.calibration.problem import Problem
from gppcore.constants import PFTS, TWO_LEAF_CONSTANTS, PlantFunctionalType
from gppcore.evaluation.bootstrap import FIRST, differences
from gppcore.evaluation.metrics import skill
from gppcore.evaluation.schemes import FewTowers, Split, splits
from gppcore.process import soil_water
from gppcore.process.parameters import vcmax25_of
from gppcore.process.simulate import simulate
from gppcore.process.two_leaf import Canopy, Forcing, two_leaf_gpp, two_leaf_gradient
from gppcore.runtime import in_processes, usable_cores
from gppcore.statistics import CORRELATION, FOLDS, assign_folds
from gppcore.towers import Towers, read_towers
from gppcore.towers.process import COVARIATES, TowerHours, TypeHours
from gppcore.variables import VARIABLES

Float = NDArray[np.float64]

LIBRARY = "psi_exponent by type (the library's)"
DESIGNS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    LIBRARY: (("vcmax25", "psi_exponent"), ()),
    "psi_exponent by place": (("vcmax25", "psi_exponent"), ("psi_exponent",)),
    "psi_exponent and g1 by type": (("vcmax25", "psi_exponent", "g1"), ()),
    "psi_exponent by type, g1 by place": (("vcmax25", "psi_exponent", "g1"), ("g1",)),
    "psi_exponent by type, kn by place": (("vcmax25", "psi_exponent"), ("kn",)),
    "psi_exponent, g1 and kn by place": (("vcmax25", "psi_exponent", "g1"), ("psi_exponent", "g1", "kn")),
}
"""Parameters of types, and those that follow the place besides Vcmax25, which does so in every design."""
CHOSEN = "chosen in inner folds"
SCHEMES: dict[str, dict[str, Any]] = {
    "new towers": {"scheme": "site"},
    "continents": {"scheme": "regional", "by": "continent"},
    "Koeppen classes": {"scheme": "regional", "by": "koeppen"},
    "10 towers": {"scheme": "few_towers", "few_towers": FewTowers(numbers=(10,))},
}
_KN_SD = 0.3
"""Of log kn of all types."""
_STEP = 1e-3
"""In log kn, of central differences: the kernel has no derivative by kn."""
_TOLERANCE = 1e-6


@dataclass(frozen=True)
class Effects:
    """Effects of the place on the logarithms of parameters besides Vcmax25.

    Their parameters b hold, for every parameter that follows the place, a slope for each covariate of Vcmax25; before
    those of kn stands its common log factor, for kn is no parameter of types.
    """

    followed: Sequence[str]
    covariates: Sequence[Any]

    def design(self, name: str, part: TypeHours) -> Float:
        """Return the derivatives of the log factor on a parameter by b, shape (months of the type, b)."""
        columns = []
        for each in self.followed:
            own = [c.standardised(part.month[c.name]) for c in self.covariates]
            own = [np.ones(len(part.rows)), *own] if each == "kn" else own
            columns += [column * (each == name) for column in own]
        return np.stack(columns, axis=1) if columns else np.zeros((len(part.rows), 0))

    def prior_sd(self, clusters: int) -> Float:
        """Return standard deviations of b, a third of those of types, as for Vcmax25."""
        found: list[float] = []
        for name in self.followed:
            sd = _KN_SD if name == "kn" else PRIORS[name].type_sd
            found += [sd] * (name == "kn") + [sd / 3.0] * len(self.covariates)
        return tightening(clusters) * np.array(found)

    def months(self, part: TypeHours, pfts: Mapping[str, PlantFunctionalType], b: Float) -> Months:
        """Return the type's months with all parameters of the place."""
        pft, log = pfts[part.name], {name: self.design(name, part) @ b for name in ("psi_exponent", "g1", "kn")}

        def at(name: str) -> Float:
            return np.clip(getattr(pft, name) * np.exp(log[name]), *VARIABLES[name].valid_range)

        vcmax25 = vcmax25_of(pfts, part.name, part.month)
        assert vcmax25 is not None
        of_rows = replace(pft, psi_exponent=at("psi_exponent"))  # type: ignore[arg-type]  # soil_water broadcasts it
        return Months(part, of_rows, vcmax25, at("g1"), log["kn"])


@dataclass(frozen=True)
class Months:
    """Months of a type with parameters of their own."""

    part: TypeHours
    pft: PlantFunctionalType
    vcmax25: Float
    g1: Float
    log_kn: Float

    def gpp(self) -> Float:
        """Return the type's part of daily GPP [g m-2 d-1]."""
        if not self.log_kn.any():
            return self.part._daily(two_leaf_gpp(self._weather, self._canopy(1.0), self.pft, n_threads=1).gpp)
        # Kn only scales Vcmax of sunlit and of shaded leaves, so each comes from a run with its own capacity.
        sunlit, shaded = self._nitrogen()
        runs = [two_leaf_gpp(self._weather, self._canopy(s), self.pft, n_threads=1) for s in (sunlit, shaded)]
        return self.part._daily(runs[0].gpp_sunlit + runs[1].gpp_shaded)

    def slopes(self, names: Sequence[str]) -> dict[str, Float]:
        """Return derivatives of :meth:`gpp` by logarithms of parameters; but for that by kn, they take the usual kn."""
        found = two_leaf_gradient(
            self._weather,
            self._canopy(1.0),
            self.pft,
            parameters=("vcmax25", "g1", "soil_water_stress"),
            n_threads=1,
        ).derivatives
        month = self.part.month
        by_exponent = soil_water.stress_by_exponent(month["soil_water"], month["tair"], self.pft)
        own = {
            "vcmax25": self.part._daily(found["vcmax25"]) * self.vcmax25,
            "g1": self.part._daily(found["g1"]) * self.g1,
            "psi_exponent": self.part._daily(found["soil_water_stress"] * by_exponent) * self.pft.psi_exponent,
        }
        if "kn" in names:
            up, down = (replace(self, log_kn=self.log_kn + step).gpp() for step in (_STEP, -_STEP))
            own["kn"] = (up - down) / (2.0 * _STEP)
        return own

    @property
    def _weather(self) -> Forcing:
        light = self.part.light
        return Forcing(light.sw, light.tair, light.vpd, light.cos_zenith, self.part.month["ca"])

    def _canopy(self, capacity: Any) -> Canopy:
        month = self.part.month
        stress = soil_water.stress(month["soil_water"], month["tair"], self.pft)
        vcmax25 = np.minimum(self.vcmax25 * capacity, VARIABLES["vcmax25"].valid_range[1])
        return Canopy(lai=month["lai"], soil_water_stress=stress, vcmax25=vcmax25, g1=self.g1)

    def _nitrogen(self) -> tuple[Float, Float]:
        """Return Vcmax of sunlit and shaded leaves over that with the usual kn."""
        usual = TWO_LEAF_CONSTANTS.nitrogen_decay
        new = leaf_nitrogen(self.part, self.pft.clumping, usual * np.exp(self.log_kn))
        old = leaf_nitrogen(self.part, self.pft.clumping, np.array(usual))
        return new[0] / old[0], new[1] / old[1]


def leaf_nitrogen(part: TypeHours, clumping: float, kn: Float) -> tuple[Float, Float]:
    """Return Vcmax of sunlit and shaded leaves over that at the canopy top (equation E5 of the two-leaf model)."""
    constants = TWO_LEAF_CONSTANTS
    lai = np.maximum(part.month["lai"], constants.min_lai)
    k = constants.leaf_projection * clumping / np.maximum(part.light.cos_zenith, constants.low_sun)
    a1, a2 = 1.0 - np.exp(-k * lai), (1.0 - np.exp(-kn * lai)) / kn
    a3 = (1.0 - np.exp(-(k + kn) * lai)) / (k + kn)
    return k * a3 / a1, (a2 - a3) / (lai - a1 / k)


@dataclass(frozen=True)
class Fit:
    """A fitted design."""

    effects: Effects
    pfts: Mapping[str, PlantFunctionalType]
    b: Float

    def gpp(self, hours: TowerHours) -> Float:
        """Return daily GPP of tower months [g m-2 d-1]."""
        total = np.where(hours.known, 0.0, np.nan)
        for part in hours.types:
            total[part.rows] += self.effects.months(part, self.pfts, self.b).gpp()
        return total


def fitted(towers: Towers, name: str) -> Fit:
    """Fit a design, by the problem of the library with further columns for the effects of the place."""
    parameters, followed = DESIGNS[name]
    clusters = len(np.unique(towers.row_clusters))
    problem = Problem.of(towers, PFTS, parameters, tightened(clusters), 2.0, CORRELATION, 1, COVARIATES)
    effects = Effects(followed, problem.covariates)
    prior_sd, own = effects.prior_sd(clusters), problem.prior.shape[1]
    scale = np.sqrt(problem.weight) / problem.residual_sd
    column = {key: j for j, key in enumerate(problem.fitted, start=len(problem.common))}

    def residuals(x: Float) -> Float:
        hours, pfts = problem._at_sites(x[:own])
        mismatch = Fit(effects, pfts, x[own:]).gpp(hours) - problem.gpp
        return np.concatenate([mismatch * scale, problem.prior @ x[:own], x[own:] / prior_sd])

    def jacobian(x: Float) -> Float:
        hours, pfts = problem._at_sites(x[:own])
        rows, priors = np.zeros((len(problem.gpp), x.size)), np.zeros((x.size, x.size))
        for part in hours.types:
            slopes = effects.months(part, pfts, x[own:]).slopes(followed)
            for parameter in parameters:
                rows[part.rows, column[part.name, parameter]] += slopes[parameter]
            for j, covariate in enumerate(problem.covariates, start=problem.slopes.start):
                rows[part.rows, j] += slopes["vcmax25"] * covariate.standardised(part.month[covariate.name])
            if problem.site is not None:
                rows[part.rows, problem.slopes.stop + problem.site[part.rows]] += slopes["vcmax25"]
            for each in followed:
                rows[part.rows, own:] += slopes[each][:, None] * effects.design(each, part)
        priors[:own, :own] = problem.prior
        priors[own:, own:] = np.diag(1.0 / prior_sd)
        return np.concatenate([rows * scale[:, None], priors])

    low, high = problem.bounds
    free = np.full(prior_sd.size, np.inf)
    tolerance = dict.fromkeys(("ftol", "xtol", "gtol"), _TOLERANCE)
    bounds = (np.append(low, -free), np.append(high, free))
    with threadpool_limits(1, "blas"):
        found = least_squares(
            residuals, np.zeros(own + free.size), jacobian, bounds=bounds, loss=problem.loss, **tolerance
        )
    return Fit(effects, problem.parameters_at(found.x[:own]), found.x[own:])


def predicted(towers: Towers, split: Split) -> tuple[dict[str, Float], str]:
    """Return GPP at the test towers by design, and the design that inner folds of the training towers prefer."""
    train, test = towers.rows(split.train), TowerHours.of(towers.rows(split.test))
    fold = assign_folds(train.row_clusters, FOLDS)
    inner = {name: np.empty(len(fold)) for name in DESIGNS}
    for k in range(fold.max() + 1):
        held = TowerHours.of(train.rows(fold == k))
        for name, gpp in inner.items():
            gpp[fold == k] = fitted(train.rows(fold != k), name).gpp(held)
    observed = train.gpp["gpp_daily"].to_numpy(float)
    best = max(inner, key=lambda name: skill(observed, inner[name])["r2"])
    found = {name: fitted(train, name).gpp(test) for name in DESIGNS}
    return {**found, CHOSEN: found[best]}, best


def judged(towers: Towers, groups: Any, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return R2 by design over the splits of a scheme, and what it gains over the design of the library.

    Gains have 90 % cluster-bootstrap intervals; those of few towers, means over draws, the least and the greatest draw.
    """
    held = splits(groups, **options)
    found, chosen = zip(*in_processes(predicted, ((towers, split) for split in held), usable_cores()), strict=True)
    observed = towers.gpp["gpp_daily"].to_numpy(float)
    cluster = groups["cluster"].to_numpy()
    r2, gain = {}, {}
    for name in (*DESIGNS, CHOSEN):
        if options["scheme"] == "few_towers":  # every draw tests all other towers
            own, usual = (
                np.array([skill(observed[s.test], f[one])["r2"] for s, f in zip(held, found, strict=True)])
                for one in (name, LIBRARY)
            )
            r2[name] = float(own.mean())
            low, high = np.quantile(own - usual, (0.0, 1.0))
            gain[name] = [float((own - usual).mean()), float(low), float(high)]
        else:
            rows = np.concatenate([np.flatnonzero(s.test) for s in held])
            gpp = {
                FIRST: np.concatenate([f[name] for f in found]),
                LIBRARY: np.concatenate([f[LIBRARY] for f in found]),
            }
            r2[name] = skill(observed[rows], gpp[FIRST])["r2"]
            gain[name] = differences(observed[rows], gpp, cluster[rows])[f"{FIRST} - {LIBRARY}"]["r2"]
    return {"r2": r2, "gain": gain, "chosen": chosen}


def measure(folder: str) -> dict[str, Any]:
    towers = read_towers(folder)
    samples = towers.samples(simulate(towers.forcing))
    known = towers.at(samples)
    return {name: judged(known, samples.groups, options) for name, options in SCHEMES.items()}


def table(found: Mapping[str, Any]) -> str:
    """Write the results as Markdown."""
    lines = ["| follows | " + " | ".join(found) + " |", "|---" * (len(found) + 1) + "|"]
    for name in (*DESIGNS, CHOSEN):
        cells = []
        for own in found.values():
            gain, low, high = own["gain"][name]
            cells.append(f"{own['r2'][name]:.3f}, {gain:+.3f} ({low:+.3f} to {high:+.3f})")
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join([*lines, "", *(f"{name}: {'; '.join(own['chosen'])}" for name, own in found.items())])


if __name__ == "__main__":
    sys.exit(run(__doc__, measure, table))
