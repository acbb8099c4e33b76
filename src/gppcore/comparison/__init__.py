"""Comparison of GPP maps with a reference: common months and cells, one unit, area-weighted."""

from gppcore.comparison.result import REGIONS, Agreement, Comparison, Density
from gppcore.comparison.run import compare

__all__ = ["REGIONS", "Agreement", "Comparison", "Density", "compare"]
