"""The same numbers as headers of C++; a test compares them with the files."""

from __future__ import annotations

from dataclasses import fields

from gppcore.constants.two_leaf import TWO_LEAF_CONSTANTS, TwoLeafConstants
from gppcore.constants.types import PFTS, PlantFunctionalType


def cpp_header() -> str:
    """Return the C++ header that holds the numbers of :class:`TwoLeafConstants`."""
    lines = [
        "// Made by `python -m gppcore.constants` from src/gppcore/constants, where units and sources stand.",
        "#pragma once",
        "",
        "namespace gppcore::constants {",
        "",
        *(f"constexpr double {f.name} = {getattr(TWO_LEAF_CONSTANTS, f.name)!r};" for f in fields(TwoLeafConstants)),
        "",
        "}  // namespace gppcore::constants",
    ]
    return "\n".join(lines)


def cpp_pfts() -> str:
    """Return the C++ header that holds :data:`PFTS`."""

    def literal(value: object) -> str:
        if isinstance(value, bool):
            return str(value).lower()
        return f'"{value}"' if isinstance(value, str) else repr(value)

    numbers = [f for f in fields(PlantFunctionalType) if f.name not in ("name", "long_name", "understory", "pathway")]
    lines = [
        "// Made by `python -m gppcore.constants pfts` from src/gppcore/constants, where units and sources stand.",
        "#pragma once",
        "",
        "namespace gppcore {",
        "",
        "struct Pft {",
        "  const char* name;",
        *(f"  double {f.name};" for f in numbers),
        "  bool understory, c4;",
        "};",
        "",
        "constexpr Pft kPfts[] = {",
        *(
            "    {"
            + ", ".join(
                literal(value)
                for value in (p.name, *(getattr(p, f.name) for f in numbers), p.understory, p.pathway == "C4")
            )
            + "},"
            for p in PFTS.values()
        ),
        "};",
        "",
        "}  // namespace gppcore",
    ]
    return "\n".join(lines)
