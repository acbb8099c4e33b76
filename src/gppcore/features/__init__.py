"""Predictors of the learners: names, order, derivation from forcing and land cover, and rows for training."""

from gppcore.features.predictors import (
    FRACTIONS,
    MONTHLY_PREDICTORS,
    PREDICTOR_SETS,
    PREDICTORS,
    SHARES,
    STATIC_PREDICTORS,
    Samples,
    igbp_codes,
    land_cover_fractions,
    pft_fractions,
    predictor_matrix,
)

__all__ = [
    "FRACTIONS",
    "MONTHLY_PREDICTORS",
    "PREDICTORS",
    "PREDICTOR_SETS",
    "SHARES",
    "STATIC_PREDICTORS",
    "Samples",
    "igbp_codes",
    "land_cover_fractions",
    "pft_fractions",
    "predictor_matrix",
]
