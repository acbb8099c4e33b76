"""The contents of experiment.toml, read strictly: an unknown key is an error."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from gppcore.errors import RangeError
from gppcore.evaluation.schemes import Scheme
from gppcore.features import PREDICTOR_SETS
from gppcore.tiles.build import TileRecipe, entry, read_toml
from gppcore.tiles.fields import MAUNA_LOA, VariableSource
from gppcore.transfer.members import MEMBERS
from gppcore.transfer.train import TRANSFER_MEMBERS


@dataclass(frozen=True)
class TowerSettings:
    """Table `towers`: where GPP of towers comes from.

    Parameters
    ----------
    files : tuple of str
        Files, folders or patterns of tower files (docs/towers.md).
    sites : tuple of str
        Metadata of sites.
    folder : str
        A folder of towers that is ready, in place of `files` and `sites`; it keeps its own weather.
    weather : {"grid", "towers"}
        Weather of the tiles, which training then shares with the map, or that of the files. Leaf area is always that
        of the tiles.
    drop : tuple of str
        Times to leave out, as SITE:2013-07..2013-09.
    partition : bool
        Whether GPP is made of NEE where a file has none.
    synthetic : bool
        Whether they are no real towers; the report then says so.
    """

    files: tuple[str, ...] = ()
    sites: tuple[str, ...] = ()
    folder: str = ""
    weather: Literal["grid", "towers"] = "grid"
    drop: tuple[str, ...] = ()
    partition: bool = False
    synthetic: bool = False


@dataclass(frozen=True)
class ProcessSettings:
    """Table `process`: the source domain.

    Parameters
    ----------
    resolution : float
        Of the coarse grid on which the process model runs [degrees].
    product : str
        File of monthly GPP of another process model, in place of gppcore's.
    variable, units : str
        Its variable, and its unit if the file does not state it.
    """

    resolution: float = 0.5
    product: str = ""
    variable: str = "gpp"
    units: str | None = None


@dataclass(frozen=True)
class LearningSettings:
    """Table `learning`: predictors and learners.

    Parameters
    ----------
    predictors : str or tuple of str
        Name of a set of `gppcore.features.PREDICTOR_SETS`, or names of variables of the tiles.
    source : {"cells", "downscaled"}
        Rows for pre-training: the process model run at cells of the tiles, with all its quantities and calibrated
        parameters; or its GPP of the coarse grid, downscaled to the tiles.
    cells : int
        Cells drawn for it, evenly over land cover and climate.
    rows : int
        Months of them to learn from.
    calibrate : bool
        Whether the process model is calibrated to the towers; with the source "cells".
    members : tuple of str
        Members of the transfer model; see :func:`gppcore.fine_tune`.
    seed : int
        Seed of all draws and learners.
    """

    predictors: str | tuple[str, ...] = "small"
    source: Literal["cells", "downscaled"] = "cells"
    cells: int = 5_000
    rows: int = 60_000
    calibrate: bool = True
    members: tuple[str, ...] = TRANSFER_MEMBERS
    seed: int = 0

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the predictors."""
        return PREDICTOR_SETS[self.predictors] if isinstance(self.predictors, str) else self.predictors


@dataclass(frozen=True)
class EvaluationSettings:
    """Table `evaluation`: what is held out; see :func:`gppcore.evaluation.schemes.splits`."""

    schemes: tuple[Scheme, ...] = ("site", "temporal", "regional")
    methods: tuple[str, ...] = ("process", "process_calibrated", "direct", "transfer")


@dataclass(frozen=True)
class MapSettings:
    """Table `map`.

    Parameters
    ----------
    methods : tuple of str
        Models to map, "transfer" first; "direct" may follow.
    netcdf : bool
        Whether the product is also written as netCDF4.
    compare : tuple of str
        GPP products to compare with, as FILE or FILE:VARIABLE.
    license : str
        Licence of the product, which its inputs may ask for.
    """

    methods: tuple[str, ...] = ("transfer", "direct")
    netcdf: bool = False
    compare: tuple[str, ...] = ()
    license: str = ""


@dataclass(frozen=True)
class Settings:
    """All of experiment.toml; the tables `cells` and `variables` are those of a recipe of tiles.

    `notes` are what the reader of the report must know of the inputs.
    """

    title: str
    recipe: TileRecipe
    towers: TowerSettings
    process: ProcessSettings = field(default_factory=ProcessSettings)
    learning: LearningSettings = field(default_factory=LearningSettings)
    evaluation: EvaluationSettings = field(default_factory=EvaluationSettings)
    map: MapSettings = field(default_factory=MapSettings)
    notes: tuple[str, ...] = ()


_TABLES = {
    "towers": TowerSettings,
    "process": ProcessSettings,
    "learning": LearningSettings,
    "evaluation": EvaluationSettings,
    "map": MapSettings,
}
_OF_RECIPE = ("cells", "variables", "years", "region")


def read_settings(path: Path) -> Settings:
    """Read experiment.toml.

    Raises
    ------
    MissingFileError
        If there is no such file.
    RangeError
        If it is not TOML, or a key or value is unknown, missing or of another type.
    """
    content = read_toml(path, "experiment")
    if unknown := set(content) - {"title", "notes", *_OF_RECIPE, *_TABLES}:
        raise RangeError(f"{path}: expected {['title', 'notes', *_OF_RECIPE, *_TABLES]}, got {sorted(unknown)}")
    if "towers" not in content:
        raise RangeError(f"{path}: expected the table towers, got none")
    tables: dict[str, Any] = {
        name: _typed(entry(kind, content[name], f"{path}: {name}"), f"{path}: {name}")
        for name, kind in _TABLES.items()
        if name in content
    }
    recipe = TileRecipe.of_tables({key: content[key] for key in _OF_RECIPE if key in content}, path)
    if recipe.years is not None and "ca" not in recipe.variables:
        recipe = replace(recipe, variables={**recipe.variables, "ca": VariableSource(MAUNA_LOA)})
    settings = Settings(str(content.get("title", path.stem)), recipe, **tables, notes=tuple(content.get("notes", ())))
    _check(settings, path)
    return settings


def _typed(table: Any, where: str) -> Any:
    """Refuse values of another type than that of the default."""
    defaults = type(table)()
    for name, default in vars(defaults).items():
        value = getattr(table, name)
        kinds: tuple[type, ...] = {float: (float, int), str: (str,)}.get(type(default), (type(default),))
        if name == "predictors":
            kinds = (str, tuple)
        if name == "units" or (isinstance(value, kinds) and isinstance(value, bool) == isinstance(default, bool)):
            continue
        raise RangeError(f"{where}: {name}: expected a value like {default!r}, got {value!r}")
    return table


def _check(settings: Settings, path: Path) -> None:
    """Refuse values that no step could use."""
    learning, towers = settings.learning, settings.towers
    known: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
        "towers: weather": ((towers.weather,), ("grid", "towers")),
        "learning: source": ((learning.source,), ("cells", "downscaled")),
        "learning: members": (learning.members, tuple(MEMBERS)),
        "evaluation: schemes": (settings.evaluation.schemes, ("site", "temporal", "regional")),
        "evaluation: methods": (settings.evaluation.methods, ("process", "process_calibrated", "direct", "transfer")),
        "map: methods": (settings.map.methods, ("transfer", "direct")),
    }
    for where, (values, allowed) in known.items():
        if wrong := sorted(set(values) - set(allowed)):
            raise RangeError(f"{path}: {where}: expected names out of {list(allowed)}, got {wrong}")
    if isinstance(learning.predictors, str) and learning.predictors not in PREDICTOR_SETS:
        raise RangeError(
            f"{path}: predictors: expected one of {list(PREDICTOR_SETS)} or names, got {learning.predictors!r}"
        )
    if bool(towers.folder) == bool(towers.files):
        raise RangeError(f"{path}: towers: expected either files with sites, or a folder, got {towers}")
    if towers.files and not towers.sites:
        raise RangeError(f"{path}: towers: expected sites, the metadata of the files, got none")
    if settings.process.product and learning.source != "downscaled":
        raise RangeError(
            f"{path}: learning: source: expected 'downscaled' with the product of another process model, "
            f"got {learning.source!r}"
        )
    if settings.map.methods[:1] != ("transfer",):
        raise RangeError(f"{path}: map: methods: expected transfer first, got {list(settings.map.methods)}")
