"""The methods that an evaluation compares, each fitted to the same training towers.

- `process`: the process model with gppcore's parameters;
- `process_beps`: with the parameter table of BEPS;
- `process_calibrated`: with parameters calibrated to the training towers;
- `direct`: machine learning from the training towers alone, tuned, with the same predictors;
- `pretrain_continue`: boosting that continues from the emulator of the process model;
- `transfer`: :func:`gppcore.fine_tune` on the emulator of the calibrated process model.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gppcore.calibration.cross_fit import cross_fitted_gpp
from gppcore.calibration.fit import calibrate
from gppcore.constants import BEPS_PFTS, PFTS, PlantFunctionalType
from gppcore.evaluation.holdout import Fitted
from gppcore.evaluation.peers import PEERS, predict_peer
from gppcore.evaluation.schemes import Scheme
from gppcore.features import PREDICTOR_SETS, Samples
from gppcore.features.place import MONTHLY_COVARIATES
from gppcore.process.parameters import CalibratedParameters
from gppcore.towers import Towers
from gppcore.towers.process import COVARIATES, process_gpp
from gppcore.transfer.members import Fits, Unseen
from gppcore.transfer.source_domain import SourceRows, source_rows
from gppcore.transfer.train import (
    TRANSFER_MEMBERS,
    direct,
    fine_tune,
    pretrain,
    pretrain_continue,
    with_process,
)
from gppcore.transfer.transfer_model import TransferModel

Float = NDArray[np.float64]

METHODS = ("process", "process_beps", "process_calibrated", "direct", "pretrain_continue", "transfer")

_CALIBRATED = ("vcmax25", "psi_exponent")
_OTHER_COVER = 25
_BEPS_CODES = {"enf": 1, "dnf": 2, "dbf": 6, "ebf": 9, "shrub": 13, "grass_c4": 40, "crop_c4": 40}
BEPS_TYPES = {name: BEPS_PFTS[_BEPS_CODES.get(name, _OTHER_COVER)].pft for name in PFTS}
"""The types of gppcore with the parameters of BEPS, which has one type for C3 herbs and all other cover."""


@dataclass(frozen=True)
class MethodSuite:
    """Towers, predictors and the source domain around them: fits all methods to training samples.

    Parameters
    ----------
    towers : Towers
        All towers, of training and test.
    predictors : tuple of str
        Names, see `gppcore.features.PREDICTOR_SETS`.
    domain : SourceRows, optional
        Rows for pre-training, with the physics of `process`; without them the months of the towers are simulated,
        which contain no observed GPP.
    calibrate : bool
        Whether the process model of the transfer model is calibrated to the training towers; False for a `domain`
        that the two-leaf model cannot simulate, for instance the product of another process model.
    methods : tuple of str
        Methods to fit, out of `METHODS` and `gppcore.evaluation.peers.PEERS`.
    members : tuple of str
        Members of the transfer model; see :func:`gppcore.fine_tune`.
    unseen : {"places", "years"}
        What is to be predicted.
    seed : int
        Seed of all learners.
    n_threads : int
        Threads; results do not depend on it.

    Examples
    --------
    >>> from gppcore import evaluate
    >>> from gppcore.demo.towers import demonstration_towers
    >>> from gppcore.evaluation.methods import MethodSuite
    >>> suite = MethodSuite(demonstration_towers(45, 48, 5, 12), methods=("process", "process_calibrated"))
    >>> skill = evaluate(suite, suite.samples).skill
    >>> {name: round(found["rmse"], 1) for name, found in skill.items()}
    {'process': 2.4, 'process_calibrated': 2.4}
    """

    towers: Towers
    predictors: tuple[str, ...] = PREDICTOR_SETS["small"]
    domain: SourceRows | None = None
    calibrate: bool = True
    methods: tuple[str, ...] = METHODS
    members: tuple[str, ...] = TRANSFER_MEMBERS
    unseen: Unseen = "places"
    seed: int = 0
    n_threads: int = 1

    @cached_property
    def samples(self) -> Samples:
        """Tower months with predictors and process GPP."""
        from gppcore.process.simulate import simulate

        process = simulate(self.towers.forcing, n_threads=self.n_threads)
        return self.towers.samples(process, predictors=self.predictors)

    @cached_property
    def source(self) -> SourceRows:
        """Rows of the source domain, by default simulated with gppcore's parameters."""
        if self.domain is not None:
            return self.domain
        return source_rows(self.towers.forcing, self.predictors, seed=self.seed, n_threads=self.n_threads)

    @cached_property
    def pretrained(self) -> TransferModel:
        """Emulators of the process model with gppcore's parameters."""
        rows = self.source
        return pretrain(rows.x, rows.physics, predictors=self.predictors, seed=self.seed, n_threads=self.n_threads)

    def prepare(self) -> None:
        """Simulate the source domain and train its emulators once, before splits share them."""
        _ = self.samples, self.pretrained

    def for_scheme(self, scheme: Scheme, n_threads: int) -> MethodSuite:
        """Return a suite for a scheme; all share one preparation.

        Folds run side by side, with one thread each; the single split of later years has `n_threads`.
        """
        self.prepare()
        if scheme == "temporal":
            suite = replace(self, unseen="years", n_threads=n_threads)
        else:
            suite = replace(self, unseen="places", n_threads=1)
        suite.__dict__.update({name: getattr(self, name) for name in ("samples", "source", "pretrained")})
        return suite

    def calibrated(self, train: Samples) -> Mapping[str, PlantFunctionalType]:
        """Return types calibrated to training samples."""
        return calibrate(self.towers.at(train), **self._calibration).pfts

    @property
    def _calibration(self) -> dict[str, Any]:
        """Options of a calibration; Vcmax25 follows satellite data that are among the predictors."""
        names = (*COVARIATES, *(name for name in MONTHLY_COVARIATES if name in self.predictors))
        known = [name for name in names if name in self.towers.forcing]
        return {"parameters": _CALIBRATED, "covariates": known, "n_threads": self.n_threads}

    def transfer(
        self, train: Samples, pfts: Mapping[str, PlantFunctionalType], fits: Fits | None = None
    ) -> TransferModel:
        """Return the transfer model of training samples and types calibrated to them."""
        source, process = self.pretrained, None
        if self.calibrate:
            calibrated = process_gpp(self.source.months, pfts, n_threads=self.n_threads)
            source = with_process(
                source,
                self.source.x,
                calibrated,
                parameters=pfts if isinstance(pfts, CalibratedParameters) else CalibratedParameters(pfts),
                seed=self.seed,
                n_threads=self.n_threads,
            )
        if self.calibrate and self.unseen == "places":
            process = cross_fitted_gpp(self.towers.at(train), **self._calibration)
        return fine_tune(
            source,
            train,
            unseen=self.unseen,
            process=process,
            members=self.members,
            fits=fits,
            seed=self.seed,
            n_threads=self.n_threads,
        )

    def direct(self, train: Samples, fits: Fits | None = None) -> TransferModel:
        """Return the model of direct learning."""
        return direct(train, unseen=self.unseen, fits=fits, seed=self.seed, n_threads=self.n_threads)

    def __call__(self, train: Samples, test: Samples) -> Fitted:
        """Fit the methods to `train`; return GPP of `test` by method, and the bounds of transfer's interval."""
        fitted = "process_calibrated" in self.methods or ("transfer" in self.methods and self.calibrate)
        pfts = self.calibrated(train) if fitted else PFTS
        at_test, fits = self.towers.at(test), Fits()
        ways: Mapping[str, Callable[[], Float]] = {
            "process": lambda: test.process,
            "process_beps": lambda: process_gpp(at_test, BEPS_TYPES, n_threads=self.n_threads),
            "process_calibrated": lambda: process_gpp(at_test, pfts, n_threads=self.n_threads),
            "direct": lambda: self.direct(train, fits).predict(test.x, n_threads=self.n_threads),
            "pretrain_continue": lambda: pretrain_continue(self.pretrained, train, seed=self.seed).predict(
                test.x, n_threads=self.n_threads
            ),
        }
        ways = {**ways, **{name: partial(predict_peer, name, train, test, seed=self.seed) for name in PEERS}}
        found = {name: way() for name, way in ways.items() if name in self.methods}
        if "transfer" not in self.methods:
            return Fitted(found)
        model = self.transfer(train, pfts, fits)
        if not model.has_interval:
            return Fitted({**found, "transfer": model.predict(test.x, n_threads=self.n_threads)}, model)
        gpp, low, high = model.predict(test.x, interval=True, n_threads=self.n_threads)
        return Fitted({**found, "transfer": gpp, "transfer_low": low, "transfer_high": high}, model)
