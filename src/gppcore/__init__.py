"""Gross primary production: two-leaf photosynthesis, downscaling and transfer learning from towers.

Public names are loaded on first use, so that ``import gppcore`` stays cheap for the models that embed it.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOME = {
    "CalibratedParameters": "process.parameters",
    "Calibration": "calibration.result",
    "Canopy": "process.two_leaf",
    "Evaluation": "evaluation.holdout",
    "Experiment": "experiment",
    "FewTowers": "evaluation.schemes",
    "Forcing": "process.two_leaf",
    "Forest": "forest",
    "LatLonGrid": "regrid",
    "PFTS": "constants",
    "PREDICTORS": "features",
    "PREDICTOR_SETS": "features",
    "PlantFunctionalType": "constants",
    "RegridPlan": "regrid",
    "Samples": "features",
    "TileRecipe": "tiles.build",
    "TileStore": "tiles.store",
    "Towers": "towers",
    "TransferModel": "transfer.transfer_model",
    "TwoLeafFlux": "process.two_leaf",
    "TwoLeafGradient": "process.two_leaf",
    "adapt": "transfer.adapt",
    "aggregate": "regrid",
    "build_tiles": "tiles.build",
    "calibrate": "calibration.fit",
    "compare": "comparison",
    "cross_fitted_gpp": "calibration.cross_fit",
    "derive_predictors": "tiles.derive",
    "direct": "transfer.train",
    "downscale": "regrid",
    "evaluate": "evaluation.holdout",
    "fine_tune": "transfer.train",
    "get_cmake_dir": "runtime",
    "get_include": "runtime",
    "get_library": "runtime",
    "leaf_gas_exchange": "process.leaf",
    "map_gpp": "mapping.run",
    "pretrain": "transfer.train",
    "process_gpp": "towers.process",
    "read_fluxnet": "towers.files",
    "read_sites": "towers.files",
    "read_towers": "towers",
    "sample_at_towers": "towers.files",
    "simulate": "process.simulate",
    "two_leaf_gpp": "process.two_leaf",
    "two_leaf_gradient": "process.two_leaf",
    "write_tower_folder": "towers.files",
}

__all__ = [*sorted(_HOME), "__version__"]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        return _version()
    if name in _HOME:
        from gppcore.errors import missing_package

        try:
            return getattr(import_module(f"gppcore.{_HOME[name]}"), name)
        except ModuleNotFoundError as error:
            raise missing_package(f"gppcore.{name}", error) from error
    message = f"module 'gppcore' has no attribute {name!r}"
    raise AttributeError(message)


def __dir__() -> list[str]:
    return __all__


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("gppcore")
    except PackageNotFoundError:  # a source tree that was not installed
        import tomllib
        from pathlib import Path

        project = Path(__file__).parents[2] / "pyproject.toml"
        return str(tomllib.loads(project.read_text())["project"]["version"])
