"""The observing-system simulation experiment: a "true" planet and synthetic towers on it.

The truth is the same kernel with other parameters per type, a drought response that the source domain lacks, and
noise. Synthetic towers have the spatial distribution of real ones, mostly northern mid-latitudes. The resulting skill
measures how well transfer learning recovers this planet, not the real one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from gppcore.constants import IGBP, PFT_NAMES, PFTS, PlantFunctionalType
from gppcore.demo.fields import SHAPE, World, centres, monthly_at, static_at
from gppcore.features.derive import derived
from gppcore.mapping.product import write_product
from gppcore.process.simulate import simulate
from gppcore.tiles.store import TileStore
from gppcore.towers.files import write_tower_folder
from gppcore.towers.files.months import SiteMonths
from gppcore.variables import MONTHS, attributes

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

Float = NDArray[np.float64]

N_TOWERS = 150
YEARS = range(2001, 2007)
CA = 410.0
"""CO2 of the demonstration year 2019, umol mol-1 (NOAA Global Monitoring Laboratory)."""
# Share of towers by latitude band (south, north), rounded from the site list of FLUXNET2015 (Pastorello et al.
# 2020, doi:10.1038/s41597-020-0534-3).
_BANDS = {(60, 80): 0.07, (30, 60): 0.75, (0, 30): 0.05, (-30, 0): 0.07, (-60, -30): 0.06}
_OBSERVED_SHARE = 0.85


def true_types(seed: int) -> dict[str, PlantFunctionalType]:
    """Return the types of the true planet: Vcmax25, g1 and clumping perturbed per type."""
    rng = np.random.default_rng([seed, 1])
    types = {}
    for name, pft in PFTS.items():
        vcmax25 = float(pft.vcmax25 * np.exp(rng.normal(-0.1, 0.25)))
        g1 = float(pft.g1 * np.exp(rng.normal(0.0, 0.12)))
        clumping = float(np.clip(pft.clumping + rng.normal(0.0, 0.05), 0.4, 0.95))
        types[name] = replace(pft, vcmax25=vcmax25, g1=g1, clumping=clumping)
    return types


def true_gpp(ds: xr.Dataset, seed: int, *, n_threads: int = 1) -> xr.Dataset:
    """Simulate the true planet: other parameters, drier soil, and stronger stomatal closure in dry air."""
    drier = ds.assign(soil_water=ds["soil_water"] ** 1.5)
    truth = simulate(drier, pfts=true_types(seed), n_threads=n_threads)
    dry_air = np.exp(-0.25 * np.maximum(ds["vpd"] / 1000.0 - 1.0, 0.0))
    return truth * dry_air


def dataset(fields: Mapping[str, Float], years: range) -> xr.Dataset:
    """Create the input of `simulate` from arrays with its names; months on the second-last axis."""
    import pandas as pd
    import xarray as xr

    def dims(name: str, ndim: int) -> tuple[str, ...]:
        if name == "pft_fraction":
            return ("pft", "cell")
        return ("pft", "time", "cell")[-ndim:] if ndim != 1 else ("cell",)

    time = pd.date_range(f"{years[0]}-01-01", periods=MONTHS * len(years), freq="MS")
    return xr.Dataset(
        {**{name: (dims(name, field.ndim), field) for name, field in fields.items()}, "ca": CA},
        coords={"time": time, "pft": list(PFT_NAMES)},
    )


def write_synthetic_towers(world: World, out: Path, seed: int) -> None:
    """Sample towers on the true planet and write their folder: years with anomalies of the weather, gaps and noise."""
    import pandas as pd

    rng = np.random.default_rng([seed, 2])
    cells = _sites(world, rng)
    n, names = cells.size, [f"SY-{i:03d}" for i in range(cells.size)]
    ds = dataset(_weather(world, cells, rng), YEARS)
    truth = true_gpp(ds, seed)["gpp_daily"].values
    noise = truth * rng.normal(0.0, 0.12, truth.shape) + rng.normal(0.0, 0.3, truth.shape)
    site_bias = np.exp(rng.normal(0.0, 0.08, n))
    observed = np.maximum(truth * site_bias + noise, 0.0)
    month, cell = np.nonzero(rng.random(observed.shape) < _OBSERVED_SHARE)
    gpp = pd.DataFrame(
        {
            "site_id": np.array(names)[cell],
            "year": YEARS[0] + month // MONTHS,
            "month": month % MONTHS + 1,
            "gpp_daily": observed[month, cell],
        }
    )
    places = (axis[i] for axis, i in zip(centres(), np.divmod(world.land[cells], SHAPE[1]), strict=True))
    table = pd.DataFrame(dict(zip(("lat", "lon"), places, strict=True)), index=pd.Index(names, name="site_id"))
    acronyms = [IGBP[code].acronym for code in world.igbp[cells]]
    table = table.assign(igbp=acronyms, elev_m=np.nan, koeppen=None, c4_percent=100.0 * ds["c4_fraction"].values)
    records = [_record(str(name), rows) for name, rows in gpp.groupby("site_id")]
    write_tower_folder(records, table, out, weather=_table(ds, names))


def _record(name: str, rows: pd.DataFrame) -> SiteMonths:
    """Return months of one tower, all of them core."""
    import pandas as pd

    months = rows.rename(columns={"gpp_daily": "gpp"}).assign(core=1, reason="")
    first, last = (pd.Timestamp(year=year, month=1, day=1) for year in (YEARS[0], YEARS[-1]))
    return SiteMonths(name, "model planet", "synthetic", "MM", first, last, months, pd.DataFrame(), ())


def _table(ds: xr.Dataset, names: list[str]) -> pd.DataFrame:
    """Return the weather as `write_tower_folder` takes it."""
    half = ds["tair_range"] / 2.0
    fields = ds[["sw", "vpd", "precip", "lai"]].assign(tmin=ds["tair"] - half, tmax=ds["tair"] + half)
    fields = fields.assign(ca=ds["ca"].broadcast_like(fields["sw"])).assign_coords(cell=names)
    table = fields.to_dataframe().reset_index().rename(columns={"cell": "site_id"})
    return table.assign(year=table["time"].dt.year, month=table["time"].dt.month).drop(columns="time")


def write_truth(coarse: Path, out: Path, seed: int = 0) -> None:
    """Write GPP of the true planet on the coarse grid of an experiment, as a product."""
    from gppcore.experiment.coarse import coarse_dataset

    store = TileStore.open(coarse)
    truth = true_gpp(coarse_dataset(store, None), seed)["gpp_daily"].transpose("time", "cell").values
    store.add("gpp_daily_true", monthly=True, attrs=attributes("gpp_daily"))
    for tile in range(store.n_tiles):
        store.write("gpp_daily_true", tile, np.ascontiguousarray(truth[:, store.cells(tile)], dtype=np.float32))
    attrs = {"title": "GPP of the true planet", "source": "gppcore, model planet"}
    write_product(store, out, {"gpp_daily_true": attributes("gpp_daily")}, attrs=attrs)


def _sites(world: World, rng: np.random.Generator) -> NDArray[np.int64]:
    """Choose vegetated cells by latitude band, with similar numbers for each land cover class of a band."""
    lat = centres()[0][world.land // SHAPE[1]]
    vegetated = np.isin(world.igbp, [c.code for c in IGBP if c.mixture])
    chosen = []
    for (south, north), share in _BANDS.items():
        band = np.flatnonzero(vegetated & (lat >= south) & (lat < north))
        classes, count = np.unique(world.igbp[band], return_counts=True)
        weight = dict(zip(classes, count**-0.5, strict=True))
        p = np.array([weight[c] for c in world.igbp[band]])
        chosen.append(rng.choice(band, round(share * N_TOWERS), replace=False, p=p / p.sum()))
    return np.concatenate(chosen)


def _weather(world: World, cells: NDArray[np.int64], rng: np.random.Generator) -> dict[str, Float]:
    """Repeat the climatology over the years and add anomalies that persist for some months."""
    names = ("tair", "tair_range", "vpd", "sw", "sw_toa", "precip", "lai")
    repeats = (len(YEARS), 1)
    fields = {name: np.tile(monthly_at(world, name, [cells])[0].astype(np.float64), repeats) for name in names}
    months = fields["tair"].shape
    warm, wet = _persistent(rng, months), _persistent(rng, months)
    fields["tair"] += 1.2 * warm
    fields["precip"] *= np.exp(0.4 * wet - 0.08)
    fields["sw"] = np.minimum(fields["sw"] * np.exp(-0.06 * wet + 0.03 * warm), 0.8 * fields["sw_toa"])
    fields["vpd"] *= np.exp(0.12 * warm - 0.12 * wet)
    fields["lai"] *= np.exp(0.08 * _persistent(rng, months))
    fields["soil_water"] = derived(fields)["soil_water"]
    static = static_at(world, cells)
    fields["c4_fraction"] = static["c4_fraction"].astype(np.float64)
    fields["pft_fraction"] = np.stack([static[f"fraction_{name}"] for name in PFT_NAMES]).astype(np.float64)
    fields["lat"] = centres()[0][world.land[cells] // SHAPE[1]]
    return fields


def _persistent(rng: np.random.Generator, shape: tuple[int, ...]) -> Float:
    """Return anomalies of unit variance whose monthly autocorrelation is 0.5."""
    noise = rng.normal(size=shape)
    for t in range(1, shape[0]):
        noise[t] = 0.5 * noise[t - 1] + np.sqrt(0.75) * noise[t]
    return noise
