"""How wide the interval of a place is: two members that differ by it and cancel in the sum.

The half width of an interval grows with the spread of the members about their sum. A pair of members of a tiny weight,
plus and minus a large number, adds the standard deviation of the Gaussian process to that spread and nothing to GPP: so
intervals widen far from all towers and in types whose towers differ, for every program that reads the model. In a model
of other years, the size of held-out errors stands in its place.
"""

from __future__ import annotations

from dataclasses import replace
from math import sqrt

from gppcore.forest import Forest
from gppcore.transfer.recipe import Member

NAMES = ("wider", "narrower")
_WEIGHT = 1e-4
"""Of both members together."""


def with_width(
    members: tuple[Member, ...], forests: dict[str, Forest], process_weight: float, sd: Forest, n_sources: int
) -> tuple[tuple[Member, ...], dict[str, Forest], float]:
    """Return members, their forests and the weight of process GPP with the pair that holds a standard deviation.

    Parameters
    ----------
    members : tuple of Member
        Members of the model.
    forests : dict of str to Forest
        Their forests.
    process_weight : float
        Weight of process GPP.
    sd : Forest
        Standard deviation [g m-2 d-1] of predictors and `n_sources` sources.
    n_sources : int
        Number of sources.
    """
    rest = 1.0 - _WEIGHT
    pair = tuple(Member(name, "gpp", n_sources, _WEIGHT / 2.0) for name in NAMES)
    made = dict(zip(NAMES, (sd * (1.0 / sqrt(_WEIGHT)), sd * (-1.0 / sqrt(_WEIGHT))), strict=True))
    others = tuple(replace(m, weight=rest * m.weight) for m in members)
    return (*others, *pair), {**forests, **made}, rest * process_weight
