"""Charts of GPP with matplotlib: maps, towers, lines, densities, Taylor diagrams; each takes and returns axes."""

from __future__ import annotations

from gppcore.errors import missing_package

try:
    import matplotlib  # noqa: F401 -- to say what to install
except ModuleNotFoundError as error:
    raise missing_package("gppcore.plot", error) from error

from gppcore.plot.agreement import reliability, scatter, scatter_limit, share_density, skill_text, taylor
from gppcore.plot.bars import bars, coverage, intervals
from gppcore.plot.lines import learning_curve, response, season, years, zonal
from gppcore.plot.maps import limits, map, towers
from gppcore.plot.style import DARK, STYLE

__all__ = [
    "DARK",
    "STYLE",
    "bars",
    "coverage",
    "intervals",
    "learning_curve",
    "limits",
    "map",
    "reliability",
    "response",
    "scatter",
    "scatter_limit",
    "season",
    "share_density",
    "skill_text",
    "taylor",
    "towers",
    "years",
    "zonal",
]
