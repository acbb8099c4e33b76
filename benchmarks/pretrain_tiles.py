"""Pre-train on millions of rows out of a tile store: time, memory, and skill where no cell was drawn.

    python benchmarks/pretrain_tiles.py gppcore-demo/tiles [--cells 220000] [--rows 2000000] [--threads 2]

The store holds `gpp_daily_process`, the product of the process model brought to its cells, as that of `gppcore demo`.
Every fifth band of 5 degrees of latitude trains nothing and tests.
"""

from __future__ import annotations

import argparse
import resource
import time
from pathlib import Path

import numpy as np

from gppcore.evaluation.metrics import skill
from gppcore.features import PREDICTORS
from gppcore.tiles.store import TileStore
from gppcore.transfer.source_domain import downscaled_rows
from gppcore.transfer.source_tiles import sample_tiles
from gppcore.transfer.train import pretrain

PROCESS = "gpp_daily_process"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("store", type=Path)
    parser.add_argument("--cells", type=int, default=220_000)
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    store = TileStore.open(args.store)
    print(f"{store.index.size:,} cells in {store.n_tiles} tiles")
    begin = time.perf_counter()
    variables = [name for name in PREDICTORS if not name.startswith("fraction_")]
    cells = sample_tiles(store, [*variables, PROCESS], n_cells=args.cells)
    begin = tell("cells drawn", cells.sizes["cell"], begin)
    held_out = np.floor(cells["lat"].values / 5.0) % 5 == 0
    rows = downscaled_rows(cells.isel(cell=~held_out), PREDICTORS, physics={"process": PROCESS}, n_rows=args.rows)
    begin = tell("rows", len(rows.x), begin)
    model = pretrain(rows.x, rows.physics, n_threads=args.threads)
    tell("rows trained on", len(rows.x), begin)
    test = downscaled_rows(cells.isel(cell=held_out), PREDICTORS, physics={"process": PROCESS}, n_rows=args.rows // 10)
    found = skill(test.physics["process"], model.predict(test.x))
    print(f"{len(test.x):,} rows of bands held out: R2 {found['r2']:.4f}, RMSE {found['rmse']:.3f} g C m-2 d-1")


def tell(what: str, number: int, begin: float) -> float:
    """Print what was done since `begin`; return the time."""
    now = time.perf_counter()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"{number:,} {what}: {now - begin:.0f} s, peak of memory so far {peak:.2f} GiB", flush=True)
    return now


if __name__ == "__main__":
    main()
