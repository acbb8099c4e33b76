"""Adapt a model to a tower: condition it on months of that tower.

What a model misses at a tower persists: in its mean, and in its season. The residuals of the tower's own months,
relative to the size of GPP, determine a Gaussian process over the season, which fades with the distance of places in
predictor space; anomalies of half a year are noise. Its mean is distilled into a forest, a further member of the model.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from gppcore.arrays import check_type
from gppcore.errors import RangeError, ShapeError
from gppcore.features import FRACTIONS, Samples
from gppcore.runtime import threads
from gppcore.statistics import NORMAL_90
from gppcore.transfer import gaussian
from gppcore.transfer.gaussian import Axes, scale, squares
from gppcore.transfer.members import distil
from gppcore.transfer.recipe import Interval, Member
from gppcore.transfer.transfer_model import TransferModel
from gppcore.variables import MONTHS

Float = NDArray[np.float64]

MEMBER = "adapted"
_LENGTH_PLACE = 0.7
"""Distance in predictor space, in standard deviations, within which places resemble the tower."""
_SD_ANOMALY, _ANOMALY_YEARS = 0.2, 0.5
_WEIGHT = 0.01
"""Of the member, which therefore predicts GPP plus a hundred times the correction."""
_ROWS = 6000
_ELSEWHERE, _OTHER_COVER = 0.4, 0.6  # shares of the rows at other places, and of those with other land cover
_NEAR = 0.5
"""Standard deviations by which drawn seasons differ from those of the tower."""
_PRIOR_MONTHS, _OTHER_MONTHS = 6.0, 1.08
"""Months that the usual variance counts as, beside that of the towers' own; and by how much other months err more."""


def adapt(model: TransferModel, samples: Samples, *, seed: int = 0, n_threads: int | None = None) -> TransferModel:
    """Adapt a fine-tuned or direct model to one or more towers with a few months of their own.

    Parameters
    ----------
    model : TransferModel
        Model made by :func:`gppcore.fine_tune` or :func:`gppcore.direct`, best without these towers.
    samples : Samples
        Months of the towers with the predictors of `model`. Half a year is worth it; a year tells the season.
    seed : int, default 0
        Seed of the distillation.
    n_threads : int, optional
        Threads, all usable cores by default; the result does not depend on it.

    Returns
    -------
    TransferModel
        The model with one member more, for these towers and places like them; elsewhere it predicts as before. Its
        interval is that of other months at the towers.

    Raises
    ------
    ShapeError
        If the predictors of model and towers differ, or there are no months.
    RangeError
        If the model was not fitted to towers, or is adapted already.

    Examples
    --------
    >>> import numpy as np
    >>> from gppcore import adapt, direct, simulate
    >>> from gppcore.demo.towers import demonstration_towers
    >>> from gppcore.evaluation.metrics import skill
    >>> towers = demonstration_towers(45, 48, 5, 12)
    >>> samples = towers.samples(simulate(towers.forcing))
    >>> own = (samples.groups["site"] == "IT-MBo").to_numpy()
    >>> year = samples.take(np.flatnonzero(own)[:12])
    >>> model = direct(samples.take(np.flatnonzero(~own)))
    >>> adapted = adapt(model, year)
    >>> later = samples.take(np.flatnonzero(own)[12:])
    >>> [round(skill(later.gpp_daily, m.predict(later.x))["rmse"], 1) for m in (model, adapted)]  # g m-2 d-1
    [2.5, 1.7]
    """
    check_type("model", model, TransferModel, "TransferModel.load(path)")
    check_type("samples", samples, Samples, "towers.samples(simulate(towers.forcing))")
    if samples.predictors != model.predictors:
        raise ShapeError(f"samples: expected predictors {list(model.predictors)}, got {list(samples.predictors)}")
    if not len(samples):
        raise ShapeError("samples: expected months of the towers, got none")
    known = model.card.get("fine_tune", {})
    if "axes" not in known:
        raise RangeError("model: expected one that fine_tune or direct fitted to towers, got one without their axes")
    if MEMBER in model.forests:
        raise RangeError("model: expected one that is not adapted yet, got one that is; adapt with all months at once")
    n_threads = threads(n_threads)
    correction = Correction.of(model, samples, Axes.from_card(known["axes"]), n_threads)
    x = _drawn(samples, correction.axes, seed)
    predicted, process = _mixture(model, x, n_threads)
    target = predicted + correction(x, np.maximum(predicted, 0.0)) / _WEIGHT
    has_process = bool(model.sources)
    sources = np.zeros((len(x), len(model.sources)))
    if has_process:
        sources[:, 0] = process
        target = target - process
    forest = distil(x, model.predictors, correction.inputs, sources, target, seed)
    kind = "residual" if has_process else "gpp"
    members = tuple(replace(m, weight=m.weight * (1.0 - _WEIGHT)) for m in model.members)
    own = {"sites": sorted({str(s) for s in samples.groups["site"]}), "months": len(samples)}
    return replace(
        model,
        members=(*members, Member(MEMBER, kind, len(model.sources), _WEIGHT)),
        forests={**model.forests, MEMBER: forest},
        process_weight=model.process_weight * (1.0 - _WEIGHT),
        interval=correction.interval,
        card={**model.card, "adapt": own},
    )


@dataclass(frozen=True)
class Correction:
    """Posterior mean of what a model misses at towers, as a function of season and place."""

    axes: Axes
    predictors: tuple[str, ...]
    place: Float
    season: Float
    weight: Float
    interval: Interval

    @classmethod
    def of(cls, model: TransferModel, samples: Samples, axes: Axes, n_threads: int) -> Correction:
        """Fit it to months of towers."""
        from scipy.linalg import cho_factor, cho_solve

        gpp = model.predict_columns(list(samples.x.T), n_threads=n_threads)
        z = (samples.gpp_daily - gpp) / scale(gpp)
        place, season = axes(samples.x, samples.predictors)
        site = samples.groups["site"].to_numpy()
        month = samples.groups["year"].to_numpy(float) * MONTHS + samples.groups["month"].to_numpy(float)
        apart = (month[:, None] - month) / (MONTHS * _ANOMALY_YEARS)
        anomaly = np.where(site[:, None] == site, _SD_ANOMALY**2 * np.exp(-(apart**2) / 2.0), 0.0)
        with threadpool_limits(1, "blas"):  # its results depend on its threads
            signal = _kernel(place, place, season, season)
            covariance = signal + anomaly + np.diag(np.full(len(z), gaussian.SD_NOISE**2))
            factor = cho_factor(covariance, lower=True)
            weight = cho_solve(factor, z)
            known = np.einsum("ij,ji->i", signal, cho_solve(factor, signal))
            own = (_PRIOR_MONTHS + float(z @ cho_solve(factor, z))) / (_PRIOR_MONTHS + len(z))
        left = float(np.mean(np.maximum(np.diag(signal) - known, 0.0)))
        sd = np.sqrt(own * (left + _SD_ANOMALY**2 + gaussian.SD_NOISE**2))
        interval = Interval(float(_OTHER_MONTHS * NORMAL_90 * sd), gaussian.SCALE_CONSTANT, 0.0, gaussian.SCALE_SLOPE)
        return cls(axes, samples.predictors, place, season, weight, interval)

    @property
    def inputs(self) -> tuple[str, ...]:
        """Predictors that it uses."""
        return (*self.axes.columns, *(name for name in FRACTIONS if name in self.predictors))

    def __call__(self, x: Float, gpp: Float) -> Float:
        """Return the correction of rows whose GPP the model predicts as `gpp` [g m-2 d-1]."""
        place, season = self.axes(x, self.predictors)
        with threadpool_limits(1, "blas"):
            return np.asarray(_kernel(place, self.place, season, self.season) @ self.weight * scale(gpp))


def _kernel(place: Float, place2: Float, season: Float, season2: Float) -> Float:
    near = np.exp(squares(place, place2) / (-2.0 * _LENGTH_PLACE**2))
    alike = np.exp(squares(season, season2) / (-2.0 * gaussian.LENGTH_SITE_SEASON**2))
    return np.asarray(near * (gaussian.SD_SITE**2 + gaussian.SD_SITE_SEASON**2 * alike))


def _drawn(samples: Samples, axes: Axes, seed: int) -> Float:
    """Return rows to distil on: the towers in seasons near their own months and in any others, and other places."""
    rng = np.random.default_rng([seed, 31])
    own = axes.standardised(samples.x, samples.predictors)
    first, second = rng.integers(0, len(own), (2, _ROWS))
    z, season = own[first].copy(), slice(axes.n_place, None)
    z[:, season] += rng.random((_ROWS, 1)) * (own[second] - own[first])[:, season]
    z[:, season] += rng.normal(0.0, _NEAR, z[:, season].shape)
    z[::2, season] = rng.normal(0.0, 1.0, z[::2, season].shape)
    far = rng.random(_ROWS) < _ELSEWHERE
    z[far, : axes.n_place] += rng.uniform(0.0, 2.0, (far.sum(), 1)) * rng.normal(size=(far.sum(), axes.n_place))
    x = samples.x[first].copy()
    for name, column in axes.values(z).items():
        x[:, samples.predictors.index(name)] = column
    shares = [samples.predictors.index(name) for name in FRACTIONS if name in samples.predictors]
    other = np.flatnonzero(far & (rng.random(_ROWS) < _OTHER_COVER))
    if shares:
        x[other[:, None], shares] = np.eye(len(shares))[rng.integers(0, len(shares), len(other))]
    return np.vstack([samples.x, x])


def _mixture(model: TransferModel, x: Float, n_threads: int) -> tuple[Float, Float]:
    """Return GPP of the model, and process GPP, 0 without one."""
    columns = list(x.T)
    sources = model.predict_sources(columns, n_threads=n_threads)
    process = sources.get("process", np.zeros(len(x)))
    return np.asarray(model.predict_columns(columns, n_threads=n_threads)), np.asarray(process)
