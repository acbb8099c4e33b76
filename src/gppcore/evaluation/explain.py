"""Drivers of GPP in transfer models, from the months that were held out from each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gppcore.evaluation.holdout import Evaluation
from gppcore.evaluation.importance import monotone_share, partial_dependence, permutation_importance
from gppcore.features import MONTHLY_PREDICTORS, Samples
from gppcore.runtime import in_threads
from gppcore.transfer.transfer_model import TransferModel

Float = NDArray[np.float64]

_QUANTILES = np.linspace(0.02, 0.98, 13)
_DRIVERS = ("lai", "sw", "soil_water")
"""Drivers in which GPP should not decrease."""


def explain(
    models: Sequence[TransferModel], evaluation: Evaluation, samples: Samples, *, seed: int = 0, n_threads: int = 1
) -> dict[str, Any]:
    """Explain the models of an evaluation, one per split, on the rows that each was tested on.

    Returns
    -------
    dict
        `importance`: loss of R2 by predictor, permuted, with a 90 % interval over clusters; `partial_dependence`: mean
        GPP [g C m-2 d-1] at values of the monthly predictors; `monotone_share`: share of months where GPP does not fall
        when leaf area, light or soil water is raised by its standard deviation.
    """
    tested = samples.take(evaluation.rows)

    parts = list(zip(models, evaluation.slices, strict=True))

    def predict(x: NDArray[np.floating[Any]]) -> Float:
        gpp = np.empty(len(x))

        def fill(part: tuple[TransferModel, slice]) -> None:
            model, rows = part
            gpp[rows] = model.predict(x[rows])

        # A split has too few rows to share them among threads, so threads share the splits.
        list(in_threads(fill, parts, n_threads))
        return gpp

    def predict_as_maps(x: Float) -> Float:
        # float32 takes a fifth of the time. Only steps of single months need float64, in which rounding is no fall.
        return predict(x.astype(np.float32))

    names, cluster = samples.predictors, tested.groups["cluster"].to_numpy()
    at = {
        name: np.unique(np.nanquantile(tested.x[:, names.index(name)], _QUANTILES)).tolist()
        for name in MONTHLY_PREDICTORS
        if name in names
    }
    return {
        "importance": permutation_importance(predict_as_maps, tested.x, names, tested.gpp_daily, cluster, seed=seed),
        "partial_dependence": partial_dependence(predict_as_maps, tested.x, names, at),
        "monotone_share": {name: monotone_share(predict, tested.x, names, name) for name in _DRIVERS},
    }
