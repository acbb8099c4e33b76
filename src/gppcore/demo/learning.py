"""The learning steps of the demonstration: source simulation, fields, pre-training, towers and evaluation."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from gppcore.demo import osse
from gppcore.demo.fields import (
    HALF,
    SHAPE,
    SourceDomain,
    World,
    downscaled_gpp,
    monthly_at,
    static_at,
)
from gppcore.evaluation.holdout import Evaluation, evaluate
from gppcore.features import MONTHLY_PREDICTORS, STATIC_PREDICTORS, Samples
from gppcore.process.daylight import N_CLOUD_DAYS, N_NODES
from gppcore.process.simulate import simulate
from gppcore.report.demo_data import SCHEMES
from gppcore.tiles.layout import CLIMATOLOGY_YEAR
from gppcore.tiles.store import TileStore
from gppcore.transfer.train import Unseen, direct, fine_tune
from gppcore.transfer.transfer_model import TransferModel
from gppcore.variables import MONTHS, VARIABLES, attributes

if TYPE_CHECKING:
    import xarray as xr

Progress = Callable[[int], None]
Index = NDArray[np.int64]

PROCESS = "gpp_daily_process"
"""Name of the downscaled process GPP in the tile store."""
MEMBERS = ("boosted", "trees")
"""Half of the default members: sufficient with a single source, and faster."""
_CELLS_PER_STRATUM = 120
PRETRAIN_ROWS = 400_000
"""Cell-months that the emulator of process GPP is trained on."""


def source_hours(source: SourceDomain) -> int:
    """Return the canopy hours of the source domain, counting C3 and C4 of a type as one."""
    return int((source.fields["pft_fraction"] > 0.0).sum()) * MONTHS * N_CLOUD_DAYS * N_NODES


def simulate_source(source: SourceDomain, threads: int, progress: Progress) -> xr.Dataset:
    """Run the process model over the source domain."""
    return simulate(osse.dataset(source.fields, range(2019, 2020)), n_threads=threads, progress=progress)


def pretraining_cells(world: World, source: SourceDomain, seed: int) -> Index:
    """Choose 0.5 degree cells evenly over strata of main type and climate; return positions of their land cells."""
    rng = np.random.default_rng([seed, 3])
    main = source.fields["pft_fraction"].argmax(axis=0)
    climate = world.koeppen[::2, ::2].reshape(-1)[source.cells]
    grown = source.fields["pft_fraction"].sum(axis=0) > 0.0
    chosen = []
    for stratum in sorted(set(zip(main[grown], climate[grown], strict=True))):
        members = np.flatnonzero((main == stratum[0]) & (climate == stratum[1]) & grown)
        chosen.append(rng.choice(members, min(members.size, _CELLS_PER_STRATUM), replace=False))
    wanted = np.zeros((SHAPE[0] // HALF) * (SHAPE[1] // HALF), dtype=bool)
    wanted[source.cells[np.concatenate(chosen)]] = True
    return np.flatnonzero(wanted[world.half])


def write_fields(
    store: TileStore,
    world: World,
    source: SourceDomain,
    simulated: xr.Dataset,
    sample: Index,
    threads: int,
    progress: Progress,
) -> xr.Dataset:
    """Write predictors and downscaled process GPP to the tiles and return them at the sampled cells, (time, cell).

    Variables whose tiles are all finished are not written again.
    """
    import pandas as pd
    import xarray as xr

    inside = np.flatnonzero(np.isin(world.land, store.index, assume_unique=True, kind="table"))
    columns: dict[str, NDArray[np.float32]] = {}
    nothing = np.empty(0, dtype=np.int64)
    for name in MONTHLY_PREDICTORS:
        wanted = nothing if _finished(store, name) else inside
        at_cells, columns[name] = monthly_at(world, name, [wanted, sample])
        _write(store, name, at_cells, threads)
        progress(1)
    static, at_sample = static_at(world, inside), static_at(world, sample)
    for name in STATIC_PREDICTORS:
        columns[name] = at_sample[name]
        if not _finished(store, name):
            _write(store, name, static[name], threads)
    progress(1)
    gpp, gpp_pft = simulated["gpp_daily"].values, simulated["gpp_daily_pft"].values
    at_cells = np.empty((MONTHS, inside.size), dtype=np.float32)
    sampled = np.empty((MONTHS, sample.size), dtype=np.float32)
    finished = _finished(store, PROCESS)
    for month in range(MONTHS if sample.size or not finished else 0):
        fine = downscaled_gpp(world, source, gpp, gpp_pft, month)
        at_cells[month], sampled[month] = fine[inside], fine[sample]
        progress(1)
    if not finished:
        _write(store, PROCESS, at_cells, threads)
    fields = {**columns, PROCESS: sampled}
    time = pd.date_range(f"{CLIMATOLOGY_YEAR}-01-01", periods=MONTHS, freq="MS")
    return xr.Dataset({n: (("time", "cell")[2 - v.ndim :], v) for n, v in fields.items()}, coords={"time": time})


def _finished(store: TileStore, name: str) -> bool:
    attrs = attributes("gpp_daily") if name == PROCESS else attributes(name) if name in VARIABLES else {"units": "1"}
    store.add(name, monthly=name not in STATIC_PREDICTORS, attrs=attrs)
    return all(store.has(name, tile) for tile in range(store.n_tiles))


def _write(store: TileStore, name: str, values: NDArray[np.float32], threads: int) -> None:
    if not values.size:
        return

    def write(tile: int) -> None:
        store.write(name, tile, np.ascontiguousarray(values[..., store.cells(tile)], dtype=np.float32))

    with ThreadPoolExecutor(max(threads, 1)) as pool:
        list(pool.map(write, range(store.n_tiles)))


def judge(
    model: TransferModel, samples: Samples, seed: int, n_processes: int, progress: Progress
) -> dict[str, Evaluation]:
    """Evaluate process model, direct learning and transfer learning in every scheme."""
    results: dict[str, Evaluation] = {}
    for scheme in SCHEMES:
        unseen: Unseen = "years" if scheme == "temporal" else "places"

        def fitted(train: Samples, test: Samples, unseen: Unseen = unseen) -> dict[str, NDArray[np.float64]]:
            tuned = fine_tune(model, train, unseen=unseen, members=MEMBERS, seed=seed, n_threads=1)
            alone = direct(train, unseen=unseen, seed=seed, n_threads=1)
            return {"process": test.process, "direct": alone.predict(test.x), "transfer": tuned.predict(test.x)}

        results[scheme] = evaluate(fitted, samples, scheme=scheme, n_processes=n_processes)
        progress(1)
    return results
