"""GPP maps against a reference map: the same months and cells, one unit, weighted by area."""

from gppcore.comparison.result import REGIONS, Agreement, Comparison, Density
from gppcore.comparison.run import compare

__all__ = ["REGIONS", "Agreement", "Comparison", "Density", "compare"]
