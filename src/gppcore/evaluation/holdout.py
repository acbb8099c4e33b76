"""Evaluation of models at held-out towers, years and regions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gppcore.arrays import check_type, floats
from gppcore.display import html_table
from gppcore.errors import DtypeError, ShapeError
from gppcore.evaluation.metrics import skill
from gppcore.evaluation.schemes import By, FewTowers, Scheme, Split, splits
from gppcore.features import Samples
from gppcore.runtime import in_processes

if TYPE_CHECKING:
    import pandas as pd

Float = NDArray[np.float64]
Method = Callable[[Samples, Samples], Float]
"""Takes training and test samples; returns GPP of the test samples [g m-2 d-1]."""


class Fitted(NamedTuple):
    """Predictions of several methods for one split, by name, and a model to keep.

    Examples
    --------
    >>> from gppcore import evaluate, simulate
    >>> from gppcore.demo.towers import demonstration_towers
    >>> from gppcore.evaluation.holdout import Fitted
    >>> towers = demonstration_towers(45, 48, 5, 12)
    >>> samples = towers.samples(simulate(towers.forcing))
    >>> def scaled(train, test):
    ...     factor = train.gpp_daily.mean() / train.process.mean()
    ...     return Fitted({"scaled": factor * test.process}, model=factor)
    >>> [round(float(factor), 1) for factor in evaluate(scaled, samples).models]
    [1.1, 1.2, 1.3, 1.2, 1.2]
    """

    predicted: Mapping[str, Float]
    model: Any = None


Methods = Callable[[Samples, Samples], Mapping[str, Float] | Fitted]
"""The same for several methods at once, by name."""


@dataclass(frozen=True)
class Evaluation:
    """Predictions for held-out rows and their skill.

    Attributes
    ----------
    scheme : str
        What was held out.
    splits : tuple of Split
        Trainings and tests, one after the other.
    rows : ndarray of int
        Rows of the samples that were predicted, split by split; in the scheme `few_towers` the same row several times.
    observed : ndarray
        Tower GPP of these rows [g m-2 d-1].
    predicted : dict of str to ndarray
        Predictions by method.
    models : tuple
        Models that the methods returned as :class:`gppcore.evaluation.holdout.Fitted`, one per split.

    Examples
    --------
    >>> from gppcore import evaluate, simulate
    >>> from gppcore.demo.towers import demonstration_towers
    >>> towers = demonstration_towers(45, 48, 5, 12)
    >>> samples = towers.samples(simulate(towers.forcing))
    >>> held_out = evaluate({"process": lambda train, test: test.process}, samples)
    >>> len(held_out.splits), held_out.observed.size == len(samples)
    (5, True)
    """

    scheme: str
    splits: tuple[Split, ...]
    rows: NDArray[np.int64]
    observed: Float
    predicted: Mapping[str, Float]
    models: tuple[Any, ...] = ()

    @property
    def folds(self) -> int:
        """Number of groups held out in turn."""
        return len(self.splits)

    @property
    def slices(self) -> tuple[slice, ...]:
        """The predictions of each split, one after the other."""
        ends = np.cumsum([0, *(int(split.test.sum()) for split in self.splits)]).tolist()
        return tuple(slice(start, end) for start, end in pairwise(ends))

    @property
    def skill(self) -> dict[str, dict[str, float]]:
        """Skill of every method over all held-out rows; see :func:`gppcore.evaluation.metrics.skill`."""
        return {name: skill(self.observed, p) for name, p in self.predicted.items()}

    def __repr__(self) -> str:
        return (
            f"Evaluation({self.scheme!r}, {self.folds} splits, {len(self.rows)} predictions of {list(self.predicted)})"
        )

    def _repr_html_(self) -> str:
        rows = {"splits": str(self.folds), "predictions": f"{len(self.rows):,}"}
        rows |= {n: f"R2 {s['r2']:.3f}, RMSE {s['rmse']:.2f}, bias {s['bias']:+.2f}" for n, s in self.skill.items()}
        return html_table(f"Evaluation by {self.scheme}", rows)

    def table(self, samples: Samples) -> pd.DataFrame:
        """Return one row per prediction: site_id, cluster, pft, group, year, month, observed, one column per method."""
        groups = samples.groups.iloc[self.rows].reset_index(drop=True)
        label = np.repeat([s.label for s in self.splits], [int(s.test.sum()) for s in self.splits])
        labels = groups.rename(columns={"site": "site_id"})[["site_id", "cluster", "pft", "year", "month"]]
        return labels.assign(group=label, observed=self.observed, **self.predicted)


def evaluate(
    methods: Mapping[str, Method] | Methods,
    samples: Samples,
    *,
    scheme: Scheme = "site",
    by: By = "koeppen",
    few_towers: FewTowers | None = None,
    tested: NDArray[np.bool_] | None = None,
    n_processes: int = 1,
    progress: Callable[[Split], None] | None = None,
) -> Evaluation:
    """Predict tower months with models that were fitted without their group.

    Parameters
    ----------
    methods : mapping of str to callable, or callable
        Each fits on training samples and predicts test samples; or one callable does so for several methods and
        returns a mapping.
    samples : Samples
        Tower months.
    scheme, by, few_towers, tested
        What is held out: see :func:`gppcore.evaluation.schemes.splits`.
    n_processes : int, default 1
        Splits that are fitted at the same time, each in a process with its share of the cores. The result does not
        depend on it. Methods are then pickled, by cloudpickle.
    progress : callable, optional
        Called with every split after it.

    Raises
    ------
    RangeError
        If an option is unknown, or nothing can be held out.

    Examples
    --------
    >>> import numpy as np
    >>> from gppcore import evaluate, simulate
    >>> from gppcore.demo.towers import demonstration_towers
    >>> towers = demonstration_towers(45, 48, 5, 12)
    >>> samples = towers.samples(simulate(towers.forcing), predictors=["lai", "sw"])
    >>> def regression(train, test):
    ...     slope, *_ = np.linalg.lstsq(train.x, train.gpp_daily)
    ...     return test.x @ slope
    >>> held_out = evaluate({"process": lambda train, test: test.process, "regression": regression}, samples)
    >>> {name: round(found["r2"], 2) for name, found in held_out.skill.items()}
    {'process': 0.63, 'regression': 0.65}
    """
    check_type("samples", samples, Samples, "towers.samples(simulate(towers.forcing))")
    if not callable(methods) and (wrong := {name: each for name, each in methods.items() if not callable(each)}):
        got = ", ".join(f"{name}: {type(each).__name__}" for name, each in wrong.items())
        raise DtypeError(f"methods: expected functions of training and test samples, got {got}")
    held_out = splits(samples.groups, scheme, by=by, few_towers=few_towers, tested=tested)
    together = methods if callable(methods) else _together(methods)
    fitted = _fitted([(together, split) for split in held_out], samples, n_processes)
    return _joined(scheme, held_out, fitted, samples, progress)


def evaluate_schemes(
    methods: Mapping[Scheme, Methods],
    samples: Samples,
    *,
    n_processes: int = 1,
    progress: Callable[[Split], None] | None = None,
) -> Iterator[Evaluation]:
    """Yield :func:`gppcore.evaluate` of several schemes in their order; their splits share the processes.

    Examples
    --------
    >>> from gppcore import simulate
    >>> from gppcore.demo.towers import demonstration_towers
    >>> from gppcore.evaluation.holdout import evaluate_schemes
    >>> towers = demonstration_towers(45, 48, 5, 12)
    >>> def process(train, test):
    ...     return {"process": test.process}
    >>> schemes = {"site": process, "temporal": process}
    >>> [found.folds for found in evaluate_schemes(schemes, towers.samples(simulate(towers.forcing)))]
    [5, 1]
    """
    held_out = {scheme: splits(samples.groups, scheme) for scheme in methods}
    tasks = [(methods[scheme], split) for scheme, parts in held_out.items() for split in parts]
    fitted = _fitted(tasks, samples, n_processes)
    for scheme, parts in held_out.items():
        yield _joined(scheme, parts, islice(fitted, len(parts)), samples, progress)


def _joined(
    scheme: Scheme,
    held_out: Sequence[Split],
    fitted: Iterable[Fitted],
    samples: Samples,
    progress: Callable[[Split], None] | None,
) -> Evaluation:
    """Join what was predicted for every split."""
    parts: dict[str, list[Float]] = {}
    models: list[Any] = []
    for split, found in zip(held_out, fitted, strict=True):
        models += [] if found.model is None else [found.model]
        for name, predicted in found.predicted.items():
            gpp = floats(name, predicted).astype(np.float64)
            if gpp.shape != (int(split.test.sum()),):
                raise ShapeError(
                    f"{name}: expected shape ({int(split.test.sum())},), the test samples, got {gpp.shape}"
                )
            parts.setdefault(name, []).append(gpp)
        if progress:
            progress(split)
    rows = np.concatenate([np.flatnonzero(split.test) for split in held_out])
    joined = {name: np.concatenate(p) for name, p in parts.items()}
    return Evaluation(scheme, tuple(held_out), rows, samples.gpp_daily[rows], joined, tuple(models))


def _fitted(tasks: Sequence[tuple[Methods, Split]], samples: Samples, n_processes: int) -> Iterator[Fitted]:
    """Yield what methods predict for their split, in order."""
    arguments = ((methods, samples.take(split.train), samples.take(split.test)) for methods, split in tasks)
    yield from in_processes(_fit, arguments, max(1, min(n_processes, len(tasks))))


def _fit(methods: Methods, train: Samples, test: Samples) -> Fitted:
    found = methods(train, test)
    return found if isinstance(found, Fitted) else Fitted(found)


def _together(methods: Mapping[str, Method]) -> Methods:
    def fitted(train: Samples, test: Samples) -> dict[str, Float]:
        return {name: method(train, test) for name, method in methods.items()}

    return fitted
