"""Learners from the literature on domain generalisation, beside which an evaluation can put gppcore's methods.

References
----------
.. [1] Chen, T. & Guestrin, C. (2016) XGBoost: a scalable tree boosting system. KDD.
.. [2] Sagawa, S. et al. (2020) Distributionally robust neural networks for group shifts. ICLR.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gppcore.errors import missing_package
from gppcore.features import Samples
from gppcore.runtime import interruptible

Float = NDArray[np.float64]

PEERS = ("xgboost", "group_dro")
"""XGBoost [1]_ on the predictors; and XGBoost whose training weights follow the worst towers, group DRO [2]_."""
_SETTINGS: dict[str, Any] = {
    "objective": "reg:squarederror",
    "eta": 0.05,
    "max_depth": 6,
    "min_child_weight": 10,
    "subsample": 0.7,
    "colsample_bytree": 0.5,
    "lambda": 5.0,
    "nthread": 1,
}
_ROUNDS, _STAGES = 400, 20
_STEP = 0.2
"""Of the weights of groups, per stage and mean loss."""


def predict_peer(name: str, train: Samples, test: Samples, *, seed: int = 0) -> Float:
    """Fit a peer to training samples and predict the test samples [g m-2 d-1].

    Raises
    ------
    ImportError
        If XGBoost is not installed (extra `xgboost`).
    """
    try:
        import xgboost
    except ImportError as error:
        raise missing_package("protocol", error, extra="xgboost") from error
    cluster = np.unique(train.groups["cluster"].to_numpy(), return_inverse=True)[1]
    robust = name == "group_dro"
    settings = {**_SETTINGS, "seed": seed}

    def fit() -> Any:
        if not robust:
            return xgboost.train(settings, xgboost.DMatrix(train.x, train.gpp_daily), _ROUNDS)
        months = np.bincount(cluster)
        weight, model = np.full(len(months), 1.0 / len(months)), None
        for _ in range(_STAGES):
            rows = (weight / months)[cluster]
            data = xgboost.DMatrix(train.x, train.gpp_daily, weight=rows / rows.mean())
            model = xgboost.train(settings, data, _ROUNDS // _STAGES, xgb_model=model)
            squares = (train.gpp_daily - model.predict(data)) ** 2
            loss = np.bincount(cluster, squares) / months
            weight = weight * np.exp(_STEP * loss / loss.mean())
            weight /= weight.sum()
        return model

    model = interruptible(fit)
    return np.maximum(np.asarray(model.predict(xgboost.DMatrix(test.x)), dtype=np.float64), 0.0)
