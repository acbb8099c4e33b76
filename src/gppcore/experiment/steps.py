"""The steps of an experiment, in their order; each is a function of the public API on the results of those before."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from gppcore.evaluation.holdout import evaluate_schemes
from gppcore.evaluation.methods import MethodSuite
from gppcore.evaluation.result import assemble
from gppcore.evaluation.result import write as write_evaluation
from gppcore.evaluation.run import check_towers
from gppcore.evaluation.schemes import Scheme, splits
from gppcore.experiment import inputs
from gppcore.experiment.coarse import PROCESS, coarse_store, downscale_year, simulate_store
from gppcore.experiment.progress import Silent
from gppcore.experiment.report import report
from gppcore.experiment.settings import Settings
from gppcore.experiment.target import sampled_towers, tower_tiles
from gppcore.features import SHARES
from gppcore.io.cluster import in_order
from gppcore.io.durable import write_json
from gppcore.mapping.product import write_netcdf, write_product
from gppcore.mapping.run import map_gpp
from gppcore.mapping.vcmax25 import VCMAX25, map_vcmax25
from gppcore.tiles.build import build_tiles, read_cells
from gppcore.tiles.derive import derive_predictors
from gppcore.tiles.fields import VariableSource
from gppcore.tiles.store import TileStore
from gppcore.towers import Towers, read_towers
from gppcore.transfer.members import Fits
from gppcore.transfer.source_domain import SourceRows, downscaled_rows, source_rows
from gppcore.transfer.source_tiles import FORCING, sample_tiles
from gppcore.transfer.transfer_model import TransferModel
from gppcore.variables import MONTHS, attributes

if TYPE_CHECKING:
    import xarray as xr
    from distributed import Client

SCHEMES: tuple[Scheme, ...] = ("site", "temporal", "regional")
_HOURS_PER_MONTH = 24
"""Canopy hours that stand for a month."""


@dataclass(frozen=True)
class Work:
    """What the steps of one run share."""

    settings: Settings
    folder: Path
    n_threads: int
    client: Client | None = None
    progress: Silent = field(default_factory=Silent)

    @property
    def store(self) -> TileStore:
        """Tiles of the map."""
        return TileStore.open(self.folder / "tiles")

    @cached_property
    def towers(self) -> Towers:
        """The target domain."""
        folder = self.settings.towers.folder
        return read_towers(self.settings.recipe.folder / folder if folder else self.folder / "towers")

    @cached_property
    def source(self) -> SourceRows:
        """Rows for pre-training."""
        learning = self.settings.learning
        named = set(self.store.variables)
        names = [*dict.fromkeys((*learning.names, *FORCING))]
        options: dict[str, Any] = {"n_rows": learning.rows, "seed": learning.seed}
        if learning.source == "downscaled":
            cells = self._cells(self.store, [*(name for name in names if name in named), PROCESS])
            return downscaled_rows(cells, learning.names, physics={"process": PROCESS}, **options)
        stores = [self.store]
        if (self.folder / "tower_tiles").exists():
            stores.append(TileStore.open(self.folder / "tower_tiles"))
        import xarray as xr

        parts = [self._cells(store, [name for name in names if name in named]) for store in stores]
        cells = xr.concat(parts, "cell", data_vars="minimal", coords="minimal", compat="override", join="override")
        return source_rows(cells, learning.names, n_threads=self.n_threads, **options)

    def _cells(self, store: TileStore, names: list[str]) -> xr.Dataset:
        learning = self.settings.learning
        return sample_tiles(store, names, n_cells=learning.cells, seed=learning.seed)

    @cached_property
    def suite(self) -> MethodSuite:
        """The methods of the experiment; training and all schemes share its emulators."""
        learning = self.settings.learning
        return MethodSuite(
            self.towers,
            learning.names,
            domain=self.source,
            calibrate=learning.calibrate and learning.source == "cells",
            methods=self.settings.evaluation.methods,
            members=learning.members,
            seed=learning.seed,
            n_threads=self.n_threads,
        )


def tiles(work: Work, digest: str, seconds: Mapping[str, float]) -> None:
    """Regrid all variables to the cells of the map and derive what follows from them."""
    recipe = work.settings.recipe
    _, cells = read_cells(recipe)
    years = 1 if recipe.years is None else recipe.years[1] - recipe.years[0] + 1
    total = cells.size * sum(1 if source.static else years for source in recipe.variables.values())
    options: dict[str, Any] = {"n_threads": work.n_threads}
    with work.progress.step("Tiles from files", total, "cell") as advance:
        store = build_tiles(recipe, work.folder / "tiles", progress=advance, client=work.client, **options)
    wanted = {*work.settings.learning.names, *FORCING, *SHARES}
    with work.progress.step("Derived predictors", store.n_tiles, "tile") as advance:
        derive_predictors(store, wanted, also=wanted, progress=advance, **options)
    if recipe.region is not None and work.settings.towers.files:
        with work.progress.step("Tiles at towers", 1, "step"):
            near = tower_tiles(work.settings, work.folder / "tower_tiles", client=work.client, **options)
            derive_predictors(near, wanted, also=wanted)


def process(work: Work, digest: str, seconds: Mapping[str, float]) -> None:
    """Run the process model on the coarse grid and downscale its GPP to the tiles; or regrid another model's."""
    settings, store = work.settings, work.store
    chosen = settings.process
    if chosen.product:
        source = VariableSource(chosen.product, chosen.variable, method="bilinear", units=chosen.units)
        recipe = replace(settings.recipe, variables={PROCESS: source})
        with work.progress.step(
            "Process GPP from its file", store.index.size * len(store.each_year), "cell"
        ) as advance:
            build_tiles(recipe, store, n_threads=work.n_threads, client=work.client, progress=advance)
        return
    with work.progress.step("Coarse grid: forcing and leaves", 1, "step"):
        coarse = coarse_store(
            settings.recipe,
            store,
            work.folder / "coarse",
            chosen.resolution,
            n_threads=work.n_threads,
            client=work.client,
        )
    coarse.add("gpp_daily", monthly=True, attrs=attributes("gpp_daily"))
    kept = {}
    total = coarse.index.size * MONTHS * _HOURS_PER_MONTH * len(store.each_year)
    with work.progress.step("Coarse grid: two-leaf model", total, "h") as advance:
        for (year,), simulated in _simulated(work, coarse):
            for tile in range(coarse.n_tiles):
                values = simulated["gpp_daily"].values[:, coarse.cells(tile)].astype(np.float32)
                coarse.write("gpp_daily", tile, np.ascontiguousarray(values), year)
            totals = downscale_year(simulated, coarse, store, chosen.resolution, year, work.n_threads)
            kept[str(year or "mean year")] = {"coarse_pg_c": totals[0], "fine_pg_c": totals[1]}
            advance(total // len(store.each_year))
    attrs = {"title": "GPP of the process model", "source": settings.title}
    product = work.folder / f"process_gpp_{label(chosen.resolution)}deg.zarr"
    if not product.exists():
        write_product(coarse, product, {"gpp_daily": attributes("gpp_daily")}, attrs=attrs)
    if all(np.isfinite(list(entry.values())).all() for entry in kept.values()):
        write_json(work.folder / "coarse" / "conservation.json", kept)


def _simulated(work: Work, coarse: TileStore) -> Iterator[tuple[tuple[int | None], xr.Dataset]]:
    """Yield every year with its simulation, on the cluster where there is one."""
    years = [(year,) for year in coarse.each_year]
    if work.client is not None:
        yield from in_order(work.client, simulate_year, (coarse.path.resolve(),), years)
    else:
        yield from ((year, simulate_store(coarse, *year, n_threads=work.n_threads)) for year in years)


def simulate_year(folder: Path, year: int | None) -> xr.Dataset:
    """Simulate a year of a coarse store in a worker of a cluster."""
    return simulate_store(TileStore.open(folder), year, n_threads=1)


def towers(work: Work, digest: str, seconds: Mapping[str, float]) -> None:
    """Read towers, give them the leaves and the weather of the grid, and write them as a folder."""
    if work.settings.towers.folder:
        check = work.towers
        assert check is not None
        return
    near = work.folder / "tower_tiles"
    store = TileStore.open(near) if near.exists() else work.store
    with work.progress.step("Towers", 1, "step"):
        sampled_towers(work.settings, store, work.folder / "towers", n_processes=work.n_threads, client=work.client)


def train(work: Work, digest: str, seconds: Mapping[str, float]) -> None:
    """Calibrate the process model, pre-train on the source domain and fine-tune with the towers."""
    suite = work.suite
    models, fits = work.folder / "models", Fits()
    with work.progress.step("Training", 4, "step") as advance:
        check_towers(suite.towers, suite.samples)
        if "direct" in work.settings.map.methods and not (models / "direct" / "model.json").exists():
            suite.direct(suite.samples, fits).save(models / "direct")
        advance(1)
        if (models / "transfer" / "model.json").exists():
            return
        suite.prepare()
        advance(1)
        pfts = suite.calibrated(suite.samples) if suite.calibrate else {}
        advance(1)
        suite.transfer(suite.samples, pfts, fits).save(models / "transfer")


def evaluate(work: Work, digest: str, seconds: Mapping[str, float]) -> None:
    """Judge all methods at held-out towers."""
    folder, learning = work.folder / "evaluation", work.settings.learning
    todo = [scheme for scheme in work.settings.evaluation.schemes if not (folder / scheme).exists()]
    if not todo:
        return
    with work.progress.step("Process model at towers", 1, "step"):
        n_threads = 1 if len(todo) > 1 else work.n_threads  # the splits of several schemes run side by side
        suites = {scheme: work.suite.for_scheme(scheme, n_threads) for scheme in todo}
    samples = work.suite.samples
    folds = sum(len(splits(samples.groups, scheme)) for scheme in todo)
    with work.progress.step("Evaluation", folds, "fold") as advance:
        found = evaluate_schemes(suites, samples, n_processes=work.n_threads, progress=lambda split: advance(1))
        for result in found:
            predictions = result.table(samples)
            meta = {
                "scheme": result.scheme,
                "by": "koeppen" if result.scheme == "regional" else None,
                "predictors": learning.predictors if isinstance(learning.predictors, str) else "own",
                "towers": work.suite.towers.name,
                "folds": result.folds,
                "seed": learning.seed,
            }
            write_evaluation(folder / result.scheme, assemble(predictions, meta), predictions)


def map_(work: Work, digest: str, seconds: Mapping[str, float]) -> None:
    """Map the models and write the product of the transfer model."""
    settings, store = work.settings, work.store
    product = work.folder / f"gpp_{label(abs(store.lat[1] - store.lat[0]))}deg.zarr"
    total = store.index.size * len(store.each_year)
    options: dict[str, Any] = {"n_threads": work.n_threads, "client": work.client}
    for method in reversed(settings.map.methods):
        saved = work.folder / "models" / method
        model: Any = saved if work.client else TransferModel.load(saved)
        with work.progress.step(f"Map of {method} learning", total, "cell") as advance:
            if method == "direct":
                map_gpp(model, store, variable="gpp_daily_direct", uncertainty=False, progress=advance, **options)
                continue
            attrs = {"title": settings.title, "source": f"gppcore, towers {Path(work.towers.name).name}"}
            attrs |= {"license": settings.map.license} if settings.map.license else {}
            map_gpp(model, store, None if product.exists() else product, attrs=attrs, progress=advance, **options)
    _map_vcmax25(work)
    if settings.map.netcdf and not product.with_suffix(".nc").exists():
        with work.progress.step("Product as netCDF", 1, "file"):
            write_netcdf(product, product.with_suffix(".nc"))


def _map_vcmax25(work: Work) -> None:
    """Write Vcmax25 on the grid of the map and on that of the process model, if it was calibrated."""
    parameters = TransferModel.load(work.folder / "models" / "transfer").parameters
    if parameters is None or not parameters.covariance:
        return
    coarse = work.folder / "coarse"
    stores = [work.store, *([TileStore.open(coarse)] if coarse.exists() else [])]
    attrs = {"title": f"Vcmax25, {work.settings.title}", "source": f"gppcore, towers {Path(work.towers.name).name}"}
    with work.progress.step("Map of Vcmax25", len(stores), "map") as advance:
        for store in stores:
            product = work.folder / f"vcmax25_{label(abs(store.lat[1] - store.lat[0]))}deg.zarr"
            if not product.exists():
                map_vcmax25(parameters, store, product, attrs=attrs, n_threads=work.n_threads)
            advance(1)


def label(degrees: float) -> str:
    """Return a resolution for names of files: 0p05."""
    return f"{round(degrees, 6):g}".replace(".", "p")


def _report(work: Work, digest: str, seconds: Mapping[str, float]) -> None:
    with work.progress.step("Comparison and report", 1, "page"):
        report(
            work.settings, work.folder, work.store, work.towers, seconds, n_threads=work.n_threads, client=work.client
        )


class Step(NamedTuple):
    """A step of an experiment.

    Attributes
    ----------
    run : callable
        Does the work; finished parts of an interrupted run are kept.
    settings : callable
        Returns the settings that it depends on.
    files : callable
        Returns the paths and patterns that it reads.
    after : tuple of str
        Steps whose results it uses.
    keeps : tuple of str
        Patterns of what it leaves in the folder.
    variables : tuple of str
        Variables that it adds to the tiles.
    """

    run: Callable[[Work, str, Mapping[str, float]], None]
    settings: Callable[[Settings], Any]
    files: Callable[[Settings], list[str]]
    after: tuple[str, ...]
    keeps: tuple[str, ...]
    variables: tuple[str, ...] = ()


def _none(settings: Settings) -> list[str]:
    return []


def _recipe(settings: Settings) -> Any:
    recipe = settings.recipe
    variables = {name: asdict(source) for name, source in recipe.variables.items()}
    return [asdict(recipe.cells), variables, recipe.years, recipe.region]


_MAPPED = ("gpp_daily", "gpp_daily_low", "gpp_daily_high", "dissimilarity", "gpp_daily_direct", *VCMAX25)
STEPS: dict[str, Step] = {
    "tiles": Step(
        tiles,
        lambda s: [_recipe(s), s.learning.names, s.towers.sites if s.recipe.region else ()],
        lambda s: [*inputs.gridded_files(s), *(s.towers.sites if s.recipe.region else ())],
        (),
        ("tiles", "tower_tiles"),
    ),
    "process": Step(
        process,
        lambda s: asdict(s.process),
        inputs.process_files,
        ("tiles",),
        ("coarse", "process_gpp_*deg.zarr"),
        (PROCESS,),
    ),
    "towers": Step(towers, lambda s: asdict(s.towers), inputs.tower_paths, ("tiles",), ("towers",)),
    "train": Step(
        train, lambda s: [asdict(s.learning), s.map.methods], _none, ("tiles", "process", "towers"), ("models",)
    ),
    "evaluate": Step(
        evaluate,
        lambda s: [asdict(s.learning), asdict(s.evaluation)],
        _none,
        ("tiles", "process", "towers"),
        ("evaluation",),
    ),
    "map": Step(
        map_,
        lambda s: [s.map.methods, s.map.netcdf, s.map.license, s.title],
        _none,
        ("train",),
        ("gpp_*deg.zarr", "gpp_*deg.nc", "vcmax25_*deg.zarr"),
        _MAPPED,
    ),
    "report": Step(
        _report,
        lambda s: [s.map.compare, s.notes, s.title],
        inputs.product_files,
        ("evaluate", "map"),
        ("report.html", "summary.json", "*.png"),
    ),
}
"""By name, in order."""
