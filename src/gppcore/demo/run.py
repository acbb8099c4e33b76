"""The demonstration runs the whole framework once, from global fields to a map, a comparison and a report."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import gppcore
from gppcore.comparison import compare
from gppcore.constants import PFT_NAMES
from gppcore.demo import learning, osse, outputs, results
from gppcore.demo.fields import HALF, SHAPE, SourceDomain, World, centres, load_world, source_domain
from gppcore.demo.outputs import DemoOptions
from gppcore.demo.progress import Steps
from gppcore.errors import OutputExistsError, RangeError, disk_errors
from gppcore.features import MONTHLY_PREDICTORS, PREDICTORS, Samples
from gppcore.io.durable import write_json
from gppcore.io.reading import read_json
from gppcore.process.simulate import simulate
from gppcore.regrid import cell_area
from gppcore.report import write_report
from gppcore.report.demo_data import SCHEMES
from gppcore.tiles.store import TileStore
from gppcore.towers import Towers, read_towers
from gppcore.transfer.source_domain import downscaled_rows
from gppcore.transfer.train import direct, fine_tune, pretrain
from gppcore.transfer.transfer_model import TransferModel
from gppcore.variables import DAYS_IN_MONTH, MONTHS

if TYPE_CHECKING:
    import xarray as xr
    from rich.console import Console

_RUN = "run.json"


def run_demo(options: DemoOptions, console: Console) -> dict[str, Any]:
    """Run the demonstration into `options.out` and return what summary.json holds.

    A second run with the same options in the same folder keeps the trained models and the finished tiles.

    Raises
    ------
    OutputExistsError
        If the folder holds anything but a run with the same options.
    RangeError
        If the region is empty or holds no land.
    MissingFileError, TowerFormatError, UnitsError
        If the towers cannot be read.
    """
    _check_folder(options)
    real = None if options.towers is None else read_towers(options.towers)
    with Steps(console) as steps:
        with steps.step("Embedded world", 15, "part") as advance:
            world = load_world(options.threads, advance)
            store = _store(world, options)
        with steps.step("Source domain: fields", len(PFT_NAMES), "type") as advance:
            source = source_domain(world, advance)
        with steps.step("Source domain: two-leaf model", learning.source_hours(source), "h") as advance:
            simulated = learning.simulate_source(source, options.threads, advance)
            process_map = outputs.write_process_map(source, simulated, options.out)
        with steps.step("Downscaling to tiles", len(MONTHLY_PREDICTORS) + MONTHS + 1, "field") as advance:
            trained = _saved_models(options.out)
            sample = learning.pretraining_cells(world, source, options.seed)
            sample = sample[:0] if trained else sample
            cells = learning.write_fields(store, world, source, simulated, sample, options.threads, advance)
        with steps.step("Target domain: towers", 1, "step") as advance:
            towers = real or osse.synthetic_towers(world, options.seed)
            samples = towers.samples(_simulate_towers(towers, options))
            truth = _true_total(source, towers, options)
        with steps.step("Pre-training and fine-tuning", 3, "model") as advance:
            models = trained or _train(cells, samples, options, advance)
        with steps.step("Evaluation at held-out towers", len(SCHEMES), "scheme") as advance:
            judged = learning.judge(models["transfer"], samples, options.seed, options.threads, advance)
        with steps.step("Map", 2 * store.index.size, "cell") as advance:
            product = outputs.map_products(models, store, towers, options, advance)
        with steps.step("Comparison", 2, "step") as advance:
            (comparison,) = compare(product, process_map)
            advance(1)
            summary_of_map = results.summarise_map(store)
        with steps.step("Report", 1, "page"):
            run = outputs.Run(options, towers, samples, judged, summary_of_map, comparison, truth, store.index.size)
            write_report(outputs.report_data(run, steps.seconds), options.out)
    summary = outputs.summary(run, steps.seconds)
    write_json(options.out / "summary.json", summary)
    return summary


def _identity(options: DemoOptions) -> dict[str, Any]:
    """Return the settings that an earlier run must share to be resumed."""
    return {
        "gppcore": gppcore.__version__,
        "region": None if options.region is None else list(options.region),
        "towers": None if options.towers is None else str(options.towers.resolve()),
        "seed": options.seed,
    }


def _check_folder(options: DemoOptions) -> None:
    """Refuse a folder that is neither empty nor an earlier run with the same options."""
    path = options.out / _RUN
    if path.is_file():
        if read_json(path, OutputExistsError) != _identity(options):
            raise OutputExistsError(f"--out: expected a new folder or a run with the same options, got {options.out}")
        return
    if options.out.exists() and (not options.out.is_dir() or any(options.out.iterdir())):
        raise OutputExistsError(f"--out: expected a new or empty folder, got {options.out}, which holds other files")


def _store(world: World, options: DemoOptions) -> TileStore:
    """Open the tile store of the run, or take the folder and create it for the land cells of the region."""
    path = options.out / "tiles"
    if path.exists():
        return TileStore.open(path)
    lat, lon = centres()
    cells = world.land
    if options.region is not None:
        south, north, west, east = options.region
        row, column = np.divmod(cells, SHAPE[1])
        inside = (lat[row] >= south) & (lat[row] <= north) & (lon[column] >= west) & (lon[column] <= east)
        cells = cells[inside]
        if cells.size == 0:
            raise RangeError(f"--region: expected a window S,N,W,E with land, got {options.region}, which has none")
    with disk_errors(options.out):
        options.out.mkdir(parents=True, exist_ok=True)
    write_json(options.out / _RUN, _identity(options))
    return TileStore.create(path, lat, lon, cells)


def _simulate_towers(towers: Towers, options: DemoOptions) -> xr.Dataset:
    return simulate(towers.forcing, n_threads=options.threads)


def _true_total(source: SourceDomain, towers: Towers, options: DemoOptions) -> float | None:
    """Return global GPP of the true planet [Pg C yr-1] for synthetic towers and a global map."""
    if not towers.synthetic or options.region is not None:
        return None
    ds = osse.dataset(source.fields, range(2019, 2020))
    truth = osse.true_gpp(ds, options.seed, n_threads=options.threads)["gpp_daily"].values
    land = cell_area(np.linspace(90.0, -90.0, SHAPE[0] // HALF + 1), np.array([0.0, 0.5]))[:, 0]
    annual = (truth * DAYS_IN_MONTH[:, None]).sum(axis=0)
    return float((annual * land[source.cells // (SHAPE[1] // HALF)]).sum() / 1e15)


def _saved_models(out: Path) -> dict[str, TransferModel] | None:
    folder = out / "models"
    if not all((folder / name / "model.json").is_file() for name in ("direct", "transfer")):
        return None
    return {name: TransferModel.load(folder / name) for name in ("direct", "transfer")}


def _train(
    cells: xr.Dataset, samples: Samples, options: DemoOptions, advance: Callable[[int], None]
) -> dict[str, TransferModel]:
    physics, n_rows = {"process": learning.PROCESS}, learning.PRETRAIN_ROWS
    rows = downscaled_rows(cells, PREDICTORS, physics=physics, n_rows=n_rows, seed=options.seed)
    source = pretrain(rows.x, rows.physics, seed=options.seed, n_threads=options.threads)
    advance(1)
    models = {
        "direct": direct(samples, seed=options.seed),
        "transfer": fine_tune(source, samples, members=learning.MEMBERS, seed=options.seed),
    }
    for name, model in models.items():
        if not (options.out / "models" / name / "model.json").exists():
            with disk_errors(options.out):
                model.save(options.out / "models" / name)
        advance(1)
    return models
