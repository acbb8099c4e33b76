"""Tree ensembles: the compiled predictor, sums of forests, and models that other libraries trained."""

from gppcore.forest.forest import Forest

__all__ = ["Forest"]
