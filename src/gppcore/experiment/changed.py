"""What of the tiles a change of an experiment leaves valid: each variable has a digest of its own."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import gppcore
from gppcore.experiment.inputs import fingerprint, source_files
from gppcore.experiment.settings import Settings
from gppcore.features import SHARES
from gppcore.tiles.cover import COVER
from gppcore.tiles.derive import is_derived
from gppcore.tiles.lapse import ELEVATION
from gppcore.tiles.metadata import remove_variable
from gppcore.tiles.store import TileStore

STORES = ("tiles", "tower_tiles")
GRID = "cells"
"""Part of the digests that all variables share; no variable of a store has this name."""


def tile_parts(settings: Settings) -> dict[str, str]:
    """Return the digest of the cells, and that of every variable: its source and its files."""
    recipe, folder = settings.recipe, settings.recipe.folder
    sites = list(settings.towers.sites) if recipe.region else []
    files = fingerprint([recipe.cells.path, *sites], folder)
    parts = {GRID: _digest([gppcore.__version__, asdict(recipe.cells), recipe.years, recipe.region, files])}
    for name, source in recipe.variables.items():
        more = sorted(set(recipe.variables) & set(SHARES)) if name == COVER else []
        parts[name] = _digest([asdict(source), fingerprint(source_files(source), folder), more])
    for name, source in recipe.variables.items():
        if source.method == "lapse" and ELEVATION in parts:
            parts[name] += parts[ELEVATION]
    return parts


def keep_unchanged(folder: Path, before: Mapping[str, str], now: Mapping[str, str]) -> bool:
    """Remove from the stores what changed, and what was derived; return False if nothing can be kept."""
    if before.get(GRID) != now[GRID]:
        return False
    changed = {name for name in before if now.get(name) != before[name]}
    if COVER in changed:
        changed |= set(SHARES) - set(before)
    for path in (folder / name for name in STORES if (folder / name).exists()):
        store = TileStore.open(path)
        with store.writing():
            for name in [each for each in store.variables if each in changed or is_derived(store, each)]:
                remove_variable(path, name)
    return True


def _digest(content: Any) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()[:16]
