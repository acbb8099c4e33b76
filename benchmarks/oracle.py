"""Compare the two-leaf model with results of the published BEPS: `python benchmarks/oracle.py --data DIR [--json]`.

DIR holds any of leaf.csv.gz, canopy.csv.gz, site_hourly.csv.gz and site_daily.csv.gz, with any of their rows in any
order. Exits with 1 if a bound is missed, with 2 if a table cannot be read.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from gppcore import runtime
from gppcore.constants import BEPS_PFTS, TWO_LEAF_CONSTANTS
from gppcore.errors import GppcoreError, RangeError
from gppcore.process.leaf import leaf_gas_exchange
from gppcore.process.reference import saturation_vapour_pressure
from gppcore.process.two_leaf import Canopy, Forcing, two_leaf_gpp

Mode = Literal["beps", "default"]
CLASSES = ["gpp_o_sun", "gpp_o_sh", "gpp_u_sun", "gpp_u_sh"]
FORCING = ["lc", "lai", "clumping", "cos_zenith", "sw_wm2", "t_air_c", "rh_pct", "wind_ms", "f_sw", "co2_ppm"]
LEAF = ["t_biochem_c", "rad_abs_wm2", "gb_w_ms", "vcmax25", "f_sw", "g0_mol", "m_bb", "co2_ppm", "ci_init_ppm"]
G_C_PER_UMOL = 12e-6
"""As BEPS has it, of which the daily table is made."""


class OracleError(GppcoreError):
    """A table cannot be compared."""


@dataclass(frozen=True)
class Comparison:
    """How one quantity of one table compares: differences are ours minus BEPS, in `unit`."""

    table: str
    rows: str
    mode: Mode
    quantity: str
    unit: str
    n: int
    mae: float
    p99: float
    max: float
    bias: float
    r2: float
    total: float
    """Our sum over that of BEPS, minus 1."""
    bounds: Mapping[str, float] = field(default_factory=dict)
    """Largest `mae`, `p99`, `max` and absolute `total`, least `r2`."""

    @property
    def missed(self) -> list[str]:
        """Names of the measures that break their bound; NaN breaks it too."""
        value = asdict(self)
        kept = {k: value[k] > b if k == "r2" else abs(value[k]) <= b for k, b in self.bounds.items()}
        return [name for name, ok in kept.items() if not ok]


def compare(
    where: tuple[str, str, Mode], quantity: str, ours: np.ndarray, theirs: np.ndarray, **options: object
) -> Comparison:
    """Measure the differences of two arrays."""
    d, size = ours - theirs, np.abs(ours - theirs)
    spread = float(np.sum((theirs - theirs.mean()) ** 2))
    return Comparison(
        *where,
        quantity=quantity,
        **{"unit": "umol m-2 s-1", **options},
        n=len(d),
        mae=float(size.mean()),
        p99=float(np.quantile(size, 0.99)),
        max=float(size.max()),
        bias=float(d.mean()),
        r2=1.0 - float(np.sum(d**2)) / spread if spread > 0.0 else float("nan"),
        total=float(ours.sum() / theirs.sum() - 1.0) if theirs.sum() else float("nan"),
    )


def read(folder: Path, name: str, columns: Sequence[str]) -> pd.DataFrame | None:
    """Read a table; None where there is none."""
    path = folder / f"{name}.csv.gz"
    if not path.is_file():
        return None
    table = pd.read_csv(path)
    missing = [column for column in columns if column not in table]
    if missing:
        raise OracleError(f"{path}: expected the columns {', '.join(columns)}; missing {', '.join(missing)}")
    if table.empty:
        raise OracleError(f"{path}: expected rows, got none")
    return table


def canopy_gpp(table: pd.DataFrame, mode: Mode) -> np.ndarray:
    """Return GPP by leaf class, shape (4, rows), of canopy hours; types without `vcmax25`, `m_bb` have their own."""
    gpp = np.empty((4, len(table)))
    for code, part in table.groupby("lc"):
        if code not in BEPS_PFTS:
            raise RangeError(f"lc: expected one of {', '.join(map(str, BEPS_PFTS))}, got {code}")
        beps, column = BEPS_PFTS[code], {name: part[name].to_numpy(np.float64) for name in part if name != "site"}
        saturated = np.vectorize(saturation_vapour_pressure)(column["t_air_c"])
        forcing = Forcing(
            sw=column["sw_wm2"],
            tair=column["t_air_c"],
            vpd=1e3 * saturated * (1.0 - column["rh_pct"] / 100.0),
            cos_zenith=column["cos_zenith"],
            ca=column["co2_ppm"],
            wind=column["wind_ms"],
        )
        canopy = Canopy(
            lai=column["lai"],
            soil_water_stress=column["f_sw"],
            clumping=column["clumping"],
            vcmax25=column["vcmax25"] * beps.nitrogen_factor if "vcmax25" in part else None,
            g1=column.get("m_bb"),
        )
        flux = two_leaf_gpp(forcing, canopy, beps.pft, mode=mode, outputs=("gpp_classes",), n_threads=0)
        assert flux.gpp_classes is not None
        gpp[:, table.index.get_indexer(part.index)] = flux.gpp_classes
    return gpp


def leaf_net(table: pd.DataFrame, mode: Mode) -> np.ndarray:
    """Return net assimilation of single leaves with the biochemistry of BEPS, solved in either mode."""
    column = {name: table[name].to_numpy(np.float64) for name in [*LEAF, "rh_leaf"]}
    metres = (column["t_biochem_c"] + 273.13) * 0.022624 / (273.16 * 1.013)  # mol m-2 s-1 -> m s-1
    return leaf_gas_exchange(
        vcmax25=column["vcmax25"],
        ppfd=TWO_LEAF_CONSTANTS.ppfd_per_shortwave * column["rad_abs_wm2"],
        tair=column["t_biochem_c"],
        humidity=column["rh_leaf"],
        boundary_conductance=column["gb_w_ms"] / metres,
        ca=column["co2_ppm"],
        g1=column["m_bb"],
        g0=column["g0_mol"],
        soil_water_stress=column["f_sw"],
        ci_guess=column["ci_init_ppm"],
        biochemistry="beps",
        mode=mode,
    ).a_net


def leaves(folder: Path) -> Iterator[Comparison]:
    table = read(folder, "leaf", [*LEAF, "rh_leaf", "a_net_umol", "a_net_robust"])
    if table is None:
        return
    for mode, name, bound in (("beps", "a_net_umol", 1e-4), ("default", "a_net_robust", 1e-3)):
        ours, theirs = leaf_net(table, mode), table[name].to_numpy()
        yield compare(("leaf", "all", mode), "a_net", ours, theirs, bounds={"max": bound})


def canopies(folder: Path) -> Iterator[Comparison]:
    columns = [*FORCING, "vcmax25", "m_bb", "dry", "clean", *CLASSES, "gpp_total", "gpp_total_robust"]
    table = read(folder, "canopy", columns)
    if table is None:
        return
    dry = (table.dry == 1).to_numpy()
    clean = dry & (table.clean == 1).to_numpy()
    bounds = {"mae": 0.005, "p99": 0.05}
    gpp = canopy_gpp(table, "beps")
    if clean.any():
        where: tuple[str, str, Mode] = ("canopy", "clean, dry", "beps")
        yield compare(where, "gpp_total", gpp.sum(0)[clean], table.gpp_total[clean].to_numpy(), bounds=bounds)
        for i, name in enumerate(CLASSES):
            yield compare(where, name, gpp[i, clean], table[name][clean].to_numpy(), bounds=bounds)
    if dry.any():
        yield compare(("canopy", "dry", "beps"), "gpp_total", gpp.sum(0)[dry], table.gpp_total[dry].to_numpy())
    yield compare(("canopy", "all", "beps"), "gpp_total", gpp.sum(0), table.gpp_total.to_numpy())
    if clean.any():
        gpp, theirs = canopy_gpp(table, "default"), table.gpp_total_robust.to_numpy()
        yield compare(("canopy", "clean, dry", "default"), "gpp_total", gpp.sum(0)[clean], theirs[clean])


def sites(folder: Path) -> Iterator[Comparison]:
    hours = read(folder, "site_hourly", ["site", "doy", *FORCING, "gpp_total"])
    days = read(folder, "site_daily", ["site", "doy", "gpp_gC_m2_d"])
    if hours is None:
        if days is not None:
            raise OracleError(f"{folder}: expected site_hourly.csv.gz beside site_daily.csv.gz, which it drives")
        return
    both: tuple[Mode, Mode] = ("beps", "default")
    for mode in both:
        hours["ours"] = canopy_gpp(hours, mode).sum(0)
        for site, part in hours.groupby("site"):
            bounds = {"total": 0.002, "r2": 0.9995} if mode == "beps" else {}
            ours, theirs = part.ours.to_numpy(), part.gpp_total.to_numpy()
            yield compare(("site_hourly", str(site), mode), "gpp_total", ours, theirs, bounds=bounds)
        if days is None:
            continue
        grouped = hours.groupby(["site", "doy"]).ours
        daily = (grouped.sum() * 3600.0 * G_C_PER_UMOL)[grouped.size() == 24].rename("ours").reset_index()
        for site, part in days.merge(daily, on=["site", "doy"]).groupby("site"):
            bounds = {"total": 0.002} if mode == "beps" else {}
            where = ("site_daily", str(site), mode)
            ours, theirs = part.ours.to_numpy(), part.gpp_gC_m2_d.to_numpy()
            yield compare(where, "gpp", ours, theirs, bounds=bounds, unit="g C m-2 d-1")


TABLES: tuple[Callable[[Path], Iterator[Comparison]], ...] = (leaves, canopies, sites)


def compare_all(folder: Path) -> list[Comparison]:
    """Compare every table that is in the folder."""
    rows = [row for table in TABLES for row in table(folder)]
    if not rows:
        raise OracleError(f"{folder}: expected leaf, canopy, site_hourly or site_daily.csv.gz, got none of them")
    return rows


def as_text(rows: Sequence[Comparison]) -> str:
    """Write the comparisons as a table."""
    head = f"{'table':12}{'rows':13}{'mode':8}{'quantity':11}{'n':>6}"
    lines = [head + "".join(f"{name:>11}" for name in ("MAE", "p99", "max", "bias", "R2", "sum %")) + "  bounds"]
    for r in rows:
        names = f"{r.table:12}{r.rows:13}{r.mode:8}{r.quantity:11}{r.n:6}"
        errors = "".join(f"{value:11.2e}" for value in (r.mae, r.p99, r.max, r.bias))
        bounds = ", ".join(f"{k} {b:g} {'MISSED' if k in r.missed else 'kept'}" for k, b in r.bounds.items())
        lines.append(f"{names}{errors}{r.r2:11.6f}{100.0 * r.total:11.4f}  {bounds}".rstrip())
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="folder of the tables")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    options = parser.parse_args(arguments)
    try:
        rows = compare_all(options.data)
    except GppcoreError as error:
        print(f"oracle: {error}", file=sys.stderr)
        return 2
    missed = any(row.missed for row in rows)
    if options.json:
        print(json.dumps({"isa": runtime.isa(), "rows": [{**asdict(r), "missed": r.missed} for r in rows]}, indent=1))
    else:
        print(as_text(rows))
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
