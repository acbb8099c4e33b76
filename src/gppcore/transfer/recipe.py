"""The recipe of a transfer model: how its forests are combined, in memory and as a ``.gppm`` file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass, field
from math import inf
from os import PathLike, fspath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gppcore import _core
from gppcore.errors import ForestFormatError
from gppcore.features import FRACTIONS
from gppcore.io.names import check_name
from gppcore.variables import VARIABLES

KINDS = ("gpp", "ratio", "residual")
"""What members predict; their numbers in the file count from 0."""


@dataclass(frozen=True)
class Member:
    """A forest that was fitted to towers.

    Parameters
    ----------
    name : str
        1 to 47 letters, digits, dots, hyphens and underscores: its file is ``member_<name>.gppf``.
    kind : {"gpp", "ratio", "residual"}
        What it predicts: GPP; GPP / (p + `offset`); or GPP - p, where p is process GPP, the first source.
    n_sources : int
        Its features are the predictors and the first `n_sources` sources.
    weight : float
        Weight in the sum, at least 0.
    offset : float
        Of ratios [unit of GPP], at least 0.
    """

    name: str
    kind: str
    n_sources: int
    weight: float
    offset: float = 0.0


@dataclass(frozen=True)
class Interval:
    """Prediction intervals: the half width is ``q * (a + b * spread + c * gpp)``.

    Parameters
    ----------
    q, a, b, c : float
        At least 0; `a` in the unit of GPP.
    """

    q: float
    a: float
    b: float
    c: float

    def half_width(self, spread: NDArray[np.float64], gpp: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the half width where the members spread and GPP is so large [unit of GPP]."""
        return np.asarray(self.q * (self.a + self.b * spread + self.c * gpp))


@dataclass(frozen=True)
class Quantity:
    """What compiled programs are told of a predictor.

    Parameters
    ----------
    unit : str
        Up to 31 characters of ASCII; empty if it is unknown.
    low, high : float
        Valid range [unit]; infinite if it is unknown.
    """

    unit: str
    low: float = -inf
    high: float = inf


@dataclass(frozen=True)
class Recipe:
    """How forests combine to GPP, given predictors x.

    With sources ``s_k = max(0, source_k(x))``, of which the first is process GPP p, and the members' predictions v_j
    in terms of GPP, ``t = process_weight * p + sum(weight_j * v_j)`` and
    ``gpp = max(0, p + p / (p + gate) * (t - p))``.
    Without sources ``gpp = max(0, t)``, and every member is of kind gpp.

    Parameters
    ----------
    predictors : tuple of str
        Names of the features, in order; as for names of members.
    sources : tuple of str
        Names of the source forests: their files are ``source_<name>.gppf``. Each has the predictors as features.
    members : tuple of Member
        At most 256, as sources.
    process_weight : float
        Weight of process GPP in the sum; 0 without sources.
    gate : float
        Process GPP at which half of a correction is applied [unit of GPP]; above 0 if there are sources.
    interval : Interval or None
        None if the model has no prediction intervals.
    quantities : tuple of Quantity
        Units and ranges of the predictors, one for each; none in files of version 1.
    """

    predictors: tuple[str, ...]
    sources: tuple[str, ...]
    members: tuple[Member, ...]
    process_weight: float
    gate: float
    interval: Interval | None = None
    quantities: tuple[Quantity, ...] = field(default=(), repr=False)  # no part of the digest: predicts nothing


def quantities_of(predictors: Sequence[str]) -> tuple[Quantity, ...]:
    """Return what `gppcore.variables` knows of each predictor."""
    known = {**VARIABLES, **dict.fromkeys(FRACTIONS, VARIABLES["pft_fraction"])}
    found = (known.get(name) for name in predictors)
    return tuple(Quantity("") if v is None else Quantity(v.unit, *map(float, v.valid_range)) for v in found)


def write_model(path: str | PathLike[str], recipe: Recipe) -> None:
    """Write a ``.gppm`` file: wholly or not at all.

    Raises
    ------
    MissingFileError
        If the folder does not exist.
    ForestFormatError
        If the recipe is wrong.
    DiskFullError, FileAccessError
        If there is no room, or the file cannot be written.
    """
    _core.write_recipe(fspath(path), numbers(recipe))


def read_model(path: str | PathLike[str]) -> Recipe:
    """Read a ``.gppm`` file.

    Raises
    ------
    MissingFileError
    ForestFormatError
        If it is not a whole, unchanged file of a known version.
    """
    return recipe_of(_core.read_recipe(fspath(path)))


def numbers(recipe: Recipe) -> Any:
    """Return the recipe as the compiled core takes it."""
    for member in recipe.members:
        if member.kind not in KINDS:
            raise ForestFormatError(f"member {member.name}: kind: expected one of {KINDS}, got {member.kind!r}")
    for what, names in (
        ("predictors", recipe.predictors),
        ("sources", recipe.sources),
        ("members", [member.name for member in recipe.members]),
    ):
        for name in names:
            check_name(what, name, ForestFormatError)
    members = [(m.name, KINDS.index(m.kind), m.n_sources, m.weight, m.offset) for m in recipe.members]
    interval = None if recipe.interval is None else astuple(recipe.interval)
    quantities = [astuple(quantity) for quantity in recipe.quantities]
    return (
        list(recipe.predictors),
        list(recipe.sources),
        members,
        recipe.process_weight,
        recipe.gate,
        interval,
        quantities,
    )


def recipe_of(core: Any) -> Recipe:
    """Return the recipe of a tuple from :func:`numbers`."""
    predictors, sources, members, process_weight, gate, interval, quantities = core
    made = tuple(Member(name, KINDS[kind], *rest) for name, kind, *rest in members)
    interval = None if interval is None else Interval(*interval)
    known = tuple(Quantity(*quantity) for quantity in quantities)
    return Recipe(tuple(predictors), tuple(sources), made, process_weight, gate, interval, known)
