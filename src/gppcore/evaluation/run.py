"""An evaluation from tower folders to result files, as ``gppcore evaluate`` runs it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gppcore.errors import RangeError, TowerFormatError
from gppcore.evaluation import result
from gppcore.evaluation.explain import explain
from gppcore.evaluation.holdout import Evaluation, evaluate
from gppcore.evaluation.intervals import coverage, reliability
from gppcore.evaluation.learning_curve import learning_curve
from gppcore.evaluation.methods import METHODS, MethodSuite
from gppcore.evaluation.own import evaluate_own, own_skill
from gppcore.evaluation.schemes import By, FewTowers, Scheme
from gppcore.evaluation.sif import fluorescence
from gppcore.evaluation.totals import coverage_by_dissimilarity, coverage_of_means
from gppcore.evaluation.variability import variability
from gppcore.features import FRACTIONS, PREDICTOR_SETS, Samples
from gppcore.towers import Towers, join_towers, read_towers
from gppcore.transfer.transfer_model import TransferModel

if TYPE_CHECKING:
    import pandas as pd

_SIF = "csif_mw_m2_nm_sr"
_LEAST_PLACES = 2


@dataclass(frozen=True)
class EvaluationOptions:
    """What to evaluate.

    Parameters
    ----------
    towers : Path
        Folder of towers (docs/towers.md).
    test_towers : Path, optional
        Folder of towers that are only tested; without it those of `towers` are held out in turn.
    scheme : {"site", "temporal", "regional", "few_towers", "warmer", "own"}
        What is held out; see :func:`gppcore.evaluation.schemes.splits`, and for `own`
        :func:`gppcore.evaluation.own.evaluate_own`.
    by : {"koeppen", "continent", "pft"}
        Classes of the scheme `regional`.
    predictors : {"small", "mid", "full", "rich"}
        Set of predictors; see `gppcore.features.PREDICTOR_SETS`. Of `rich` those that the towers have.
    few_towers : FewTowers
        Numbers and draws of the scheme `few_towers`.
    seed : int
        Seed of learners and draws.
    n_threads : int
        Threads; results do not depend on it.
    methods : tuple of str
        Methods to judge, out of those of :class:`gppcore.evaluation.methods.MethodSuite`.
    """

    towers: Path
    test_towers: Path | None = None
    scheme: Scheme = "site"
    by: By = "koeppen"
    predictors: str = "small"
    few_towers: FewTowers = field(default_factory=FewTowers)
    seed: int = 0
    n_threads: int = 1
    methods: tuple[str, ...] = METHODS


def prepared_suite(options: EvaluationOptions) -> MethodSuite:
    """Return the methods of an evaluation with their source domain, which all schemes share.

    Raises
    ------
    RangeError
        If the set of predictors is unknown.
    MissingFileError, TowerFormatError, UnitsError
        If the towers cannot be read, or have core months at one place only.
    """
    check_predictors(options.predictors)
    towers = read_towers(options.towers)
    if options.test_towers is not None:
        towers = join_towers(towers, read_towers(options.test_towers))
    predictors = predictors_of(towers, options.predictors)
    suite = MethodSuite(towers, predictors, methods=options.methods, seed=options.seed, n_threads=options.n_threads)
    check_towers(towers, suite.samples)
    suite.prepare()
    return suite


def evaluate_towers(
    options: EvaluationOptions, suite: MethodSuite | None = None, *, progress: Callable[[str], None] | None = None
) -> tuple[dict[str, Any], pd.DataFrame]:
    """Evaluate all methods of :class:`gppcore.evaluation.methods.MethodSuite` side by side.

    Parameters
    ----------
    options : EvaluationOptions
        What to evaluate.
    suite : MethodSuite, optional
        What :func:`prepared_suite` returned for the same options, but for those of the scheme.
    progress : callable, optional
        Called with the label of every split after it.

    Returns
    -------
    result : dict
        Numbers, as :func:`gppcore.evaluation.result.assemble` returns them.
    predictions : pandas.DataFrame
        One row per held-out tower month, one column per method.

    Raises
    ------
    RangeError
        If an option is unknown, or nothing can be held out.
    MissingFileError, TowerFormatError, UnitsError
        As of :func:`prepared_suite`.
    """
    suite = suite or prepared_suite(options)
    towers, samples, tested = suite.towers, suite.samples, None
    if options.test_towers is not None:
        tested = samples.groups["site"].isin(list(read_towers(options.test_towers).sites.index)).to_numpy()
    suite = suite.for_scheme(options.scheme, options.n_threads)
    report = (lambda split: progress(split.label)) if progress else None
    if options.scheme == "own":
        found = evaluate_own(suite, tested=tested, n_processes=options.n_threads, progress=report)
    else:
        found = evaluate(
            suite,
            samples,
            scheme=options.scheme,
            by=options.by,
            few_towers=options.few_towers,
            tested=tested,
            n_processes=options.n_threads,
            progress=report,
        )
    predictions = found.table(samples)
    sif = _sif(towers, predictions)
    if sif is not None:
        predictions["csif"] = sif
    meta = {
        "scheme": options.scheme,
        "by": options.by if options.scheme == "regional" else None,
        "predictors": options.predictors,
        "towers": str(options.towers),
        "test_towers": None if options.test_towers is None else str(options.test_towers),
        "folds": found.folds,
        "seed": options.seed,
    }
    parts = _parts(options, found, found.models, predictions, samples)
    places = towers.sites.loc[predictions["site_id"].unique(), ["lat", "lon"]]
    parts["places"] = {str(site): [float(lat), float(lon)] for site, lat, lon in places.itertuples()}
    if options.scheme not in ("few_towers", "own"):
        parts |= explain(found.models, found, samples, seed=options.seed, n_threads=options.n_threads)
    return result.assemble(predictions, meta, parts), predictions


def check_predictors(name: str) -> tuple[str, ...]:
    """Return the predictors of a set; refuse other names."""
    if name not in PREDICTOR_SETS:
        raise RangeError(f"predictors: expected one of {list(PREDICTOR_SETS)}, got {name!r}")
    return PREDICTOR_SETS[name]


def predictors_of(towers: Towers, name: str) -> tuple[str, ...]:
    """Return the predictors of a set; of the set `rich` those that the towers have."""
    predictors = check_predictors(name)
    if name != "rich":
        return predictors
    known = {*map(str, towers.forcing), *towers.gpp, *towers.sites, *FRACTIONS}
    return tuple(predictor for predictor in predictors if predictor in known)


def check_towers(towers: Towers, samples: Samples) -> None:
    """Refuse towers at one place only: nothing could be held out, and no weight estimated."""
    places = samples.groups["cluster"].nunique()
    if places < _LEAST_PLACES:
        raise TowerFormatError(
            f"towers {towers.name}: expected core months with all predictors at {_LEAST_PLACES} places 50 km apart or "
            f"more, got {len(samples.groups)} at {places}, out of {len(towers.gpp)} core months; "
            f"{towers.why_left_out() or 'no month is marked as not core'}; empty cells of cell_forcing_monthly.csv "
            "lack predictors"
        )


def _parts(
    options: EvaluationOptions,
    found: Evaluation,
    models: Sequence[TransferModel],
    predictions: pd.DataFrame,
    samples: Samples,
) -> dict[str, Any]:
    """Return the optional parts of the result."""
    parts: dict[str, Any] = {}
    if options.scheme not in ("few_towers", "own"):  # which predict a month several times
        parts["variability"] = variability(predictions)
    if options.scheme == "own":
        parts["own"] = own_skill(predictions)
    if options.scheme == "few_towers":
        draws = [(split.towers, predictions[predictions["group"] == split.label]) for split in found.splits]
        parts["learning_curve"] = learning_curve(draws)
    if "transfer_low" in predictions:
        parts["interval"] = coverage(
            *(predictions[name] for name in ("observed", "transfer_low", "transfer_high", "pft"))
        )
        if models:
            parts["interval"]["reliability"] = _reliability(found, models, predictions)
            parts["interval"]["means"] = coverage_of_means(found, models, samples, seed=options.seed)
            parts["interval"]["by_dissimilarity"] = coverage_by_dissimilarity(found, models, samples)
    if "csif" in predictions:
        parts["sif"] = fluorescence(predictions)
    return parts


def _reliability(found: Evaluation, models: Sequence[TransferModel], predictions: pd.DataFrame) -> list[list[float]]:
    """Return nominal and observed shares inside transfer's intervals of several levels, those of each training."""
    rows = [int(split.test.sum()) for split in found.splits]
    widths = [dict(model.card["fine_tune"]["half_widths"]) for model in models]
    relative = {level: np.repeat([width[level] for width in widths], rows) for level in widths[0]}
    gpp = predictions["transfer"]
    return reliability(predictions["observed"], gpp, predictions["transfer_high"] - gpp, relative)


def _sif(towers: Towers, predictions: pd.DataFrame) -> np.ndarray[Any, Any] | None:
    """Return sun-induced fluorescence of the predicted months; None where the towers have none."""
    if _SIF not in towers.gpp:
        return None
    import pandas as pd

    known = towers.gpp.set_index(["site_id", "year", "month"])[_SIF]
    return known.reindex(pd.MultiIndex.from_frame(predictions[["site_id", "year", "month"]])).to_numpy(float)
