"""The specification compiled by numba: the peer of the kernels, and the bench on which single equations are changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import astuple, fields
from importlib.util import find_spec, module_from_spec
from types import FunctionType, ModuleType
from typing import Any, NamedTuple

import numba

from gppcore.constants import TWO_LEAF_CONSTANTS, TwoLeafConstants
from gppcore.process.reference import Hour
from gppcore.process.two_leaf import Canopy, Forcing

MODULES = ("gppcore.process.reference", "gppcore.process.reference_compat")


def compiled(changes: Mapping[str, Any] | None = None) -> tuple[ModuleType, ModuleType]:
    """Return copies of `reference` and `reference_compat` whose functions are compiled, their text unchanged.

    Parameters
    ----------
    changes : mapping of str to object, optional
        What to put in place of names of `reference_compat`: constants, or functions compiled by numba.

    Notes
    -----
    Numba knows no dataclasses, so that the constants are given as a named tuple.
    """
    names = [(field.name, float) for field in fields(TwoLeafConstants)]
    constants = NamedTuple("Constants", names)(*astuple(TWO_LEAF_CONSTANTS))  # type: ignore[misc]
    functions: dict[Any, Any] = {}
    copies = []
    for name in MODULES:
        spec = find_spec(name)
        assert spec is not None
        assert spec.loader is not None
        copy = module_from_spec(spec)
        spec.loader.exec_module(copy)
        if name == MODULES[1]:
            vars(copy).update(changes or {})
        copy.K = constants  # type: ignore[attr-defined]
        for key, value in list(vars(copy).items()):
            if not isinstance(value, FunctionType) or value.__module__ not in MODULES or key == "pft_numbers":
                continue
            if value.__module__ == name:
                functions[name, key] = numba.njit(value)
            setattr(copy, key, functions[value.__module__, key])
        copies.append(copy)
    return copies[0], copies[1]


def hours_loop(two_leaf: Any) -> Any:
    """Compile a loop over canopy hours: x has a row per field of `reference.Hour` but the last (from clearness)."""

    @numba.njit
    def loop(x, pft, out):
        for i in range(x.shape[1]):
            first = (x[0, i], x[1, i], x[2, i], x[3, i], x[4, i], x[5, i])
            sunlit, shaded = two_leaf(Hour(*first, x[6, i], x[7, i], x[8, i], x[9, i], x[10, i], -1.0), pft)
            out[0, i] = sunlit
            out[1, i] = shaded

    return loop


def hour_inputs(x: Any) -> tuple[Forcing, Canopy]:
    """Return such hours as the kernel takes them."""
    h = dict(zip(Hour._fields[:-1], x, strict=True))
    forcing = Forcing(**{k: h[k] for k in ("sw", "tair", "vpd", "cos_zenith", "ca", "wind")})
    return forcing, Canopy(**{k: h[k] for k in ("lai", "soil_water_stress", "clumping", "vcmax25", "g1")})
