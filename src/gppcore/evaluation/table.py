"""The table of predictions to evaluate: one row per tower month, one column per method."""

from __future__ import annotations

import numpy as np
import pandas as pd

from gppcore.errors import RangeError, ShapeError

LABELS = ("site_id", "cluster", "pft", "group", "year", "month")
"""Columns that identify a row; `group` is the held-out region or fold."""
BESIDES = (*LABELS, "observed", "transfer_low", "transfer_high", "csif")
"""Columns that are not methods; the last three are optional."""


def methods_of(predictions: pd.DataFrame) -> tuple[str, ...]:
    """Return the methods of a table of predictions, in the order of its columns, after checking the table.

    Parameters
    ----------
    predictions : pandas.DataFrame
        `site_id`, `cluster`, `pft`, `group`, `year`, `month`, `observed` [g C m-2 d-1]; optional `transfer_low`,
        `transfer_high` [g C m-2 d-1] and `csif`; every other column is the GPP of a method [g C m-2 d-1].

    Raises
    ------
    ShapeError
        If a column is missing, there is no method, or there are fewer than two rows.
    RangeError
        If a label is missing in a row, or GPP is not finite.
    """
    if missing := [name for name in (*LABELS, "observed") if name not in predictions]:
        raise ShapeError(f"predictions: expected the columns {[*LABELS, 'observed']}, got none of {missing}")
    methods = tuple(str(name) for name in predictions.columns if name not in BESIDES)
    if not methods or len(predictions) < 2:
        raise ShapeError(f"predictions: expected a method and 2 rows, got {len(methods)} and {len(predictions)}")
    for name in LABELS:
        if bad := int(predictions[name].isna().sum()):
            raise RangeError(f"predictions, {name}: expected a label in every row, got {bad} rows without")
    for name in ("observed", *methods):
        if bad := int((~np.isfinite(predictions[name].to_numpy(np.float64))).sum()):
            raise RangeError(f"predictions, {name}: expected finite GPP, got {bad} rows without")
    return methods
