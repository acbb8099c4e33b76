"""Comparison of GPP maps with a reference: common months and cells, one unit, area-weighted."""

from gppcore.comparison.result import REGIONS, Agreement, Comparison, Density, Interval
from gppcore.comparison.run import compare
from gppcore.comparison.variability import Season, Variability

__all__ = ["REGIONS", "Agreement", "Comparison", "Density", "Interval", "Season", "Variability", "compare"]
