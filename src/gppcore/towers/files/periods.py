"""Periods of a site that are left out on request: ``SITE:2013-07..2013-09``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gppcore.errors import RangeError

_FORM = re.compile(r"(?P<site>[^:]+):(?P<first>\d{4}(-\d\d){0,2})(\.\.(?P<last>\d{4}(-\d\d){0,2}))?")


class Period(NamedTuple):
    """Time of a site, from the start of the first day to the end of the last.

    Attributes
    ----------
    site : str
        Name of the site.
    first, last : pandas.Timestamp
        First and last moment.

    Examples
    --------
    >>> import pandas as pd
    >>> from gppcore.towers.files import Period
    >>> Period("US-CRT", pd.Timestamp("2013-07-01"), pd.Timestamp("2013-09-30")).site
    'US-CRT'
    """

    site: str
    first: pd.Timestamp
    last: pd.Timestamp


def read_period(text: str) -> Period:
    """Read a period like US-CRT:2013-07..2013-09, of years, months or days, both ends included.

    Raises
    ------
    RangeError
        If the text is no period, or its end lies before its start.

    Examples
    --------
    >>> from gppcore.towers.files import read_period
    >>> period = read_period("US-CRT:2013-07..2013-09")
    >>> period.site, str(period.last.date())
    ('US-CRT', '2013-09-30')
    """
    match = _FORM.fullmatch(text.strip())
    expected = f"drop: expected SITE:FIRST..LAST like US-CRT:2013-07..2013-09, got {text!r}"
    if match is None:
        raise RangeError(expected)
    try:
        first = pd.Period(match["first"]).start_time
        last = pd.Period(match["last"] or match["first"]).end_time
    except ValueError:
        raise RangeError(expected) from None
    if last < first:
        raise RangeError(f"{expected}: its end lies before its start")
    return Period(match["site"], first, last)


def in_periods(periods: Sequence[Period], site: str, start: pd.DatetimeIndex) -> NDArray[np.bool_]:
    """Return which steps of a site begin within one of the periods."""
    inside = np.zeros(len(start), dtype=bool)
    for period in periods:
        if period.site == site:
            inside |= np.asarray((start >= period.first) & (start <= period.last))
    return inside
