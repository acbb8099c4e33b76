"""Gross primary production: two-leaf photosynthesis, downscaling and transfer learning from towers.

Public names are loaded on first use, so that ``import gppcore`` stays cheap for the models that embed it.
"""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import version
from typing import Any

__version__ = version("gppcore")

_HOME = {
    "Calibration": "calibration",
    "Canopy": "two_leaf",
    "Evaluation": "evaluate",
    "Forcing": "two_leaf",
    "Forest": "forest",
    "PFTS": "constants",
    "PlantFunctionalType": "constants",
    "RegridPlan": "regrid",
    "Samples": "features",
    "TileStore": "tiles",
    "Towers": "towers",
    "TransferModel": "transfer_model",
    "TwoLeafFlux": "two_leaf",
    "TwoLeafGradient": "two_leaf",
    "aggregate": "regrid",
    "direct": "transfer",
    "downscale": "regrid",
    "fine_tune": "transfer",
    "leaf_gas_exchange": "two_leaf",
    "map_gpp": "mapping",
    "pretrain": "transfer",
    "read_fluxnet": "tower_files",
    "read_sites": "tower_files",
    "read_towers": "towers",
    "sample_at_towers": "tower_files",
    "process_gpp": "tower_hours",
    "two_leaf_gpp": "two_leaf",
    "two_leaf_gradient": "two_leaf",
    "write_tower_folder": "tower_files",
}

__all__ = [*sorted(_HOME), "__version__"]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(f"gppcore.{_HOME[name]}"), name)
    message = f"module 'gppcore' has no attribute {name!r}"
    raise AttributeError(message)


def __dir__() -> list[str]:
    return __all__
