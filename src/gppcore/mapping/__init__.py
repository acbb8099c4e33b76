"""Maps of GPP from a model and a tile store, and the gridded product."""

from gppcore.mapping.run import map_gpp

__all__ = ["map_gpp"]
