"""Compare GPP that gppcore makes of net exchange, by hesseflux, with that which a site's team published, by month.

usage: python benchmarks/partitioning.py TABLE NEE GPP_NT GPP_DT [--middle]

TABLE is a CSV or Parquet file of half-hours whose first column or index is the time: with `--middle` that of the middle
of each step, else of its start. NEE is the column of measured net exchange [umol m-2 s-1], its gaps not filled, GPP_NT
and GPP_DT are the published ones; temperature, light and deficit are `Tair_f`, `Rg_f`, `VPD_f`, as in REddyProc.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

from gppcore.towers.files import monthly_gpp, read_fluxnet
from gppcore.variables import G_C_PER_UMOL, SECONDS_PER_DAY


def main() -> None:
    """Print root-mean-square error, bias and R2 of monthly means [g C m-2 d-1]."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("table", type=Path)
    for name in ("nee", "gpp_nt", "gpp_dt"):
        parser.add_argument(name)
    parser.add_argument("--middle", action="store_true")
    chosen = parser.parse_args()
    packed = chosen.table.suffix == ".parquet"
    table = pd.read_parquet(chosen.table) if packed else pd.read_csv(chosen.table, index_col=0, parse_dates=True)
    if chosen.middle:
        table.index -= (table.index[1] - table.index[0]) / 2
    with tempfile.TemporaryDirectory() as folder:
        record = table[[chosen.nee, "Tair_f", "Rg_f", "VPD_f"]].rename(columns={chosen.nee: "NEE"})
        record.rename_axis("time").to_csv(Path(folder) / "XX-Xxx.csv")
        months = monthly_gpp(read_fluxnet(Path(folder) / "XX-Xxx.csv", partition=True))
    stamps = pd.to_datetime(months[["year", "month"]].assign(day=1))
    published = table[[chosen.gpp_nt, chosen.gpp_dt]].resample("MS").mean() * G_C_PER_UMOL * SECONDS_PER_DAY
    pairs = [(months["gpp_nt"], chosen.gpp_nt), (months["gpp_nt"], chosen.gpp_dt), (months["gpp_dt"], chosen.gpp_dt)]
    for ours, name in [*pairs, (published[chosen.gpp_nt].loc[stamps], chosen.gpp_dt)]:
        there = published[name].loc[stamps].to_numpy()
        error, r = ours.to_numpy() - there, np.corrcoef(ours, there)[0, 1]
        rmse = np.sqrt((error**2).mean())
        print(f"{ours.name} and {name}: {len(ours)} months, RMSE {rmse:.2f}, bias {error.mean():+.2f}, R2 {r**2:.3f}")


if __name__ == "__main__":
    main()
