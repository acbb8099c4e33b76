"""The protocol of FLUXtrapolation: held-out towers, warmer climates and later years, judged by the tail of towers.

References
----------
.. [1] Fries, A. et al. (2026) FLUXtrapolation: a benchmark on extrapolating ecosystem fluxes. arXiv:2605.19812.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gppcore.evaluation.schemes import Scheme

PROTOCOLS: Mapping[str, tuple[Scheme, ...]] = {"fluxtrapolation": ("site", "warmer", "temporal")}
"""Hold-outs of each protocol."""
FIGURES = {
    "r2": "R2",
    "rmse": "RMSE",
    "site_rmse_median": "RMSE of towers, median",
    "site_rmse_p90": "90th percentile",
    "site_r2_median": "NSE of towers, median",
    "site_r2_p10": "worst tenth",
}
"""Figures of :mod:`gppcore.evaluation.metrics` that the protocol reports, and their titles."""


def summarise(name: str, results: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return the figures of the protocol from the results of its hold-outs.

    Parameters
    ----------
    name : str
        Of the protocol.
    results : mapping of str to mapping
        By hold-out, as :func:`gppcore.evaluation.result.assemble` returns them.

    Returns
    -------
    dict
        `protocol`, and by hold-out the numbers of `towers` and `months` and of every method the figures of `FIGURES`:
        R2, also called Nash-Sutcliffe efficiency, over all months and of single towers [1], and RMSE [g C m-2 d-1].
    """
    return {
        "protocol": name,
        "held_out": {
            scheme: {
                "towers": result["sites"],
                "months": result["rows"],
                "methods": {
                    method: {figure: skill[figure] for figure in FIGURES} for method, skill in result["methods"].items()
                },
            }
            for scheme, result in results.items()
        },
    }
