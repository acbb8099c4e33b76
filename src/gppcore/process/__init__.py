"""The process model: two-leaf photosynthesis, its specification, and the preparation of its input from climate."""

from gppcore.process.leaf import leaf_gas_exchange
from gppcore.process.two_leaf import Canopy, Forcing, TwoLeafFlux, two_leaf_gpp, two_leaf_gradient

__all__ = ["Canopy", "Forcing", "TwoLeafFlux", "leaf_gas_exchange", "two_leaf_gpp", "two_leaf_gradient"]
