"""The observing-system simulation experiment: a "true" planet and synthetic towers on it.

The truth is the same kernel with other parameters per type, a drought response that the source domain lacks, and
noise. Synthetic towers have the spatial distribution of real ones, mostly northern mid-latitudes. The resulting skill
measures how well transfer learning recovers this planet, not the real one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from gppcore.constants import IGBP, PFT_NAMES, PFTS, PlantFunctionalType
from gppcore.demo.fields import QUARTER, SHAPE, World, centres, coarse_index, monthly_at, static_at
from gppcore.features.derive import derived
from gppcore.process.simulate import simulate
from gppcore.towers import Towers
from gppcore.variables import MONTHS

if TYPE_CHECKING:
    import xarray as xr

Float = NDArray[np.float64]

N_TOWERS = 150
YEARS = range(2001, 2007)
CA = 410.0
"""CO2 of the demonstration year 2019, umol mol-1 (NOAA Global Monitoring Laboratory)."""
# Share of towers by latitude band (south, north), rounded from the site list of FLUXNET2015 (Pastorello et al.
# 2020, doi:10.1038/s41597-020-0534-3).
_BANDS = {(60, 80): 0.07, (30, 60): 0.75, (0, 30): 0.05, (-30, 0): 0.07, (-60, -30): 0.06}
_CLUSTER_DEGREES = 0.5
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


def synthetic_towers(world: World, seed: int) -> Towers:
    """Sample towers on the true planet: several years with anomalies of the weather, gaps and noise."""
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
    lat, lon = (axis[i] for axis, i in zip(centres(), np.divmod(world.land[cells], SHAPE[1]), strict=True))
    cluster = np.floor(lat / _CLUSTER_DEGREES) * 1000 + np.floor(lon / _CLUSTER_DEGREES)
    sites = pd.DataFrame(
        {
            "lat": lat,
            "lon": lon,
            "igbp": [IGBP[code].acronym for code in world.igbp[cells]],
            "region": world.koeppen.reshape(-1)[coarse_index(world.land[cells], QUARTER)],
            "cluster": np.unique(cluster, return_inverse=True)[1],
        },
        index=pd.Index(names, name="site_id"),
    )
    return Towers("synthetic towers", True, sites, gpp, ds)


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
