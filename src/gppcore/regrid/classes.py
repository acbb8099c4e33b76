"""Fields of classes, such as land cover: counted by area, never averaged."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from gppcore.regrid.plan import RegridPlan


def class_shares(
    plan: RegridPlan, classes: NDArray[np.float32], *, n_threads: int = 1
) -> Iterator[tuple[float, NDArray[np.float32]]]:
    """Yield every class of a field with its share of the known area of the target cells, NaN where nothing is known."""
    missing = np.isnan(classes)
    for code in np.unique(classes[~missing]):
        is_class = np.where(missing, np.nan, classes == code).astype(np.float32)
        yield float(code), plan.apply(is_class, n_threads=n_threads)
