"""Monthly CO2 of the air, for places and months without a measurement of their own."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gppcore.errors import RangeError
from gppcore.variables import MONTHS

Float = NDArray[np.float64]

REACH = 10
"""Years beyond the record over which its trend is trusted."""


def co2_monthly(year: ArrayLike, month: ArrayLike) -> Float:
    """Return the CO2 mole fraction of the air at Mauna Loa [umol mol-1], which stands for the well-mixed atmosphere.

    Parameters
    ----------
    year : array_like of int
        Calendar years, 1948 to 2033.
    month : array_like of int
        Months, 1 to 12; broadcast against `year`.

    Returns
    -------
    ndarray of float64
        Monthly means. Months outside the record (March 1958 to October 2023, see `co2_is_measured`) continue
        the linear trend and the mean season of the ten years nearest to them.

    Raises
    ------
    RangeError
        If a month is none, or lies more than ten years outside the record.

    Notes
    -----
    Source: NOAA Global Monitoring Laboratory (Lan, X., Tans, P., Thoning, K.; gml.noaa.gov/ccgg/trends) and, until
    April 1974, Scripps Institution of Oceanography (Keeling). Monthly means over land differ from it by a few
    umol mol-1, more in winter and near cities.

    Examples
    --------
    >>> from gppcore.features.co2 import co2_monthly
    >>> co2_monthly([1980, 2020], 5).round(1)
    array([341.4, 417.3])
    """
    first, record = _record()
    position = _position(year, month, first, len(record))
    out = record[np.clip(position, 0, len(record) - 1)]
    before, after = position < 0, position >= len(record)
    out[before] = _continued(position[before], record, np.arange(REACH * MONTHS))
    out[after] = _continued(position[after], record, np.arange(len(record) - REACH * MONTHS, len(record)))
    return out


def co2_is_measured(year: ArrayLike, month: ArrayLike) -> NDArray[np.bool_]:
    """Return whether the record has a month; parameters and errors are those of :func:`co2_monthly`."""
    first, record = _record()
    position = _position(year, month, first, len(record))
    measured: NDArray[np.bool_] = (position >= 0) & (position < len(record))
    return measured


def _position(year: ArrayLike, month: ArrayLike, first: int, n: int) -> NDArray[np.int64]:
    """Return months since the first one of the record."""
    months, years = np.asarray(month, dtype=np.int64), np.asarray(year, dtype=np.int64)
    if months.size and not (months.min() >= 1 and months.max() <= MONTHS):
        raise RangeError(f"month: expected 1 to 12, got {months.min()} to {months.max()}")
    position = np.atleast_1d(years * MONTHS + months - 1 - first)
    low, high = (first // MONTHS) - REACH, (first + n - 1) // MONTHS + REACH
    if years.size and not (low <= years.min() and years.max() <= high):
        raise RangeError(
            f"year: expected {low} to {high}, ten years about the record of CO2, "
            f"got {years.min()} to {years.max()}; give CO2 of your own"
        )
    return position.astype(np.int64)


def _continued(position: NDArray[np.int64], record: Float, window: NDArray[np.int64]) -> Float:
    """Continue trend and mean season of a window of whole years."""
    trend = np.polynomial.Polynomial.fit(window, record[window], 1)
    anomaly = record[window] - trend(window)
    season = np.array([anomaly[window % MONTHS == m].mean() for m in range(MONTHS)])
    continued: Float = trend(position) + season[position % MONTHS]
    return continued


@cache
def _record() -> tuple[int, Float]:
    """Return the first month of the record, counted from year 0, and its values."""
    text = files("gppcore.features").joinpath("data/co2_monthly_mauna_loa.csv").read_text().splitlines()
    rows = np.array([line.split(",") for line in text[1:]], dtype=float)
    months = (rows[:, 0] * MONTHS + rows[:, 1] - 1).astype(np.int64)
    # A month that the station missed is taken from its neighbours.
    whole = np.interp(np.arange(months[0], months[-1] + 1), months, rows[:, 2])
    return int(months[0]), whole
