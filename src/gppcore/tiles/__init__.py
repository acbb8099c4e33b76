"""Tile stores: predictors and predictions of land cells as compressed files that survive crashes."""

from gppcore.tiles.store import TileStore

__all__ = ["TileStore"]
