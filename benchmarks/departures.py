"""Measure each departure of the default model from BEPS: `python benchmarks/departures.py --data DIR`.

DIR holds canopy.csv.gz and site_hourly.csv.gz (see oracle.py). The specification of BEPS mode runs over their
inputs once as it is and once with each departure alone; the table gives what changes. The last rows compare the
compiled modes, where all departures act together.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numba
import numpy as np
import pandas as pd
from compiled import compiled, hours_loop
from oracle import CLASSES, FORCING, canopy_gpp, read

from gppcore.constants import BEPS_PFTS, TWO_LEAF_CONSTANTS
from gppcore.process.reference import Hour, pft_numbers, saturation_vapour_pressure

K = TWO_LEAF_CONSTANTS
SINK, RD_SHARE, RD_PPFD, LOWEST, RATIO = K.sink_limit, K.rd_light_share, K.rd_light_ppfd, -K.jmax_offset, K.h2o_to_co2
RD_TO_VCMAX, RD_ENERGY, JMAX_SLOPE, SATURATION, ZERO = (
    K.rd_to_vcmax,
    K.rd_energy,
    K.jmax_slope,
    K.jmax_saturation,
    K.zero_celsius,
)

REFERENCE, COMPAT = compiled()


def exact_minimum() -> dict[str, Any]:
    """Take the lowest of the three rates at the true Ci, and the physical root."""
    solve_leaf, state, result = REFERENCE.solve_leaf, REFERENCE.Leaf, COMPAT.Exchange

    @numba.njit
    def exchange(leaf, slope, g0, gb, ca, ci):
        b = state(leaf.vcmax, leaf.electron, leaf.rd, leaf.k, leaf.gamma_star, 0.0, False)
        net = solve_leaf(b, slope, g0, 1.0 / gb, ca)
        cs = ca - net / gb
        conductance = slope * net / cs + g0
        return result(net, RATIO * conductance, cs - net / conductance)

    return {"exchange": exchange}


def proper_latent_heat() -> dict[str, Any]:
    """Take latent heat of vaporisation at the temperature of the air in K."""
    humidity = COMPAT.leaf_surface_humidity

    @numba.njit
    def leaf_surface_humidity(e, tair, t_leaf, latent_heat, resistance):
        # The function takes 3149333 - 2370 t: an argument that makes it 3149000 - 2370 (tair in K).
        return humidity(e, tair, tair + ZERO + 333.0 / 2370.0, latent_heat, resistance)

    return {"leaf_surface_humidity": leaf_surface_humidity}


def bounded_humidity() -> dict[str, Any]:
    """Keep humidity at the leaf surface within 0.05 and 1."""
    humidity = COMPAT.leaf_surface_humidity

    @numba.njit
    def leaf_surface_humidity(e, tair, t_leaf, latent_heat, resistance):
        return min(max(humidity(e, tair, t_leaf, latent_heat, resistance), 0.05), 1.0)

    return {"leaf_surface_humidity": leaf_surface_humidity}


def ramp_of_respiration() -> dict[str, Any]:
    """Let respiration fall along a ramp of light, light act from 0, Jmax be at least 0."""
    leaf_c3, result, bias = REFERENCE.leaf_c3, COMPAT.Biochemistry, COMPAT.WARM_BIAS

    @numba.njit
    def biochemistry(vcmax25, ppfd, tair):
        b = leaf_c3(vcmax25, ppfd, tair + bias)
        return result(b.vcmax, b.electron, b.rd, b.k, b.gamma_star)

    return {"biochemistry": biochemistry}


def smooth_diffuse_share() -> dict[str, Any]:
    """Keep the diffuse share at its minimum."""
    share = REFERENCE.diffuse_share

    @numba.njit
    def diffuse_share(sw, cos_zenith):
        return share(sw, max(cos_zenith, 1e-3))

    return {"diffuse_share": diffuse_share}


def fading_understory() -> dict[str, Any]:
    """Let the understory fade in with leaf area; herbs have none."""
    fading = REFERENCE.understory_lai

    @numba.njit
    def understory_lai(lai, understory):
        return fading(lai) if understory else 1e-9

    return {"understory_lai": understory_lai}


def three_passes() -> dict[str, Any]:
    """Make three passes from no heat, without sub-steps; the stability of the air comes from the first."""
    paths, energy_pass, state_of, n_passes = COMPAT.paths, COMPAT.energy_pass, COMPAT.Leaves, REFERENCE.N_PASSES

    @numba.njit
    def leaf_assimilation(h, p, s, leaves):
        state = state_of([0.0] * 4, [1 / 200.0, 1 / 200.0, 1 / 300.0, 1 / 300.0], [0.7 * h.ca] * 4, [h.tair - 0.5] * 4)
        heat = 0.0
        for i_pass in range(n_passes):
            w = paths(h, p, s, heat)
            energy_pass(h, p, s, leaves, w, state.temperature.copy(), state)
            if i_pass == 0:
                t = state.temperature
                gained = (t[0] - h.tair) * s.over.plant_sunlit + (t[1] - h.tair) * s.over.plant_shaded
                heat = max(gained * s.air.heat_capacity / (w.ra_over + 0.5 * w.rb_over), -200.0)
        return state.assimilation

    return {"leaf_assimilation": leaf_assimilation}


def zero_celsius() -> dict[str, Any]:
    """Take 0 degC as 273.15 K."""
    return {"WARM_BIAS": 0.0}


DEPARTURES: dict[str, Callable[[], dict[str, Any]]] = {
    "coupled minimum of the rates, physical root": exact_minimum,
    "three passes from a fixed start, stability from the first": three_passes,
    "latent heat of vaporisation in K": proper_latent_heat,
    "humidity at the leaf 0.05 to 1": bounded_humidity,
    "respiration on a ramp, Jmax at least 0": ramp_of_respiration,
    "diffuse share stays at its minimum": smooth_diffuse_share,
    "understory fades in, none under herbs": fading_understory,
    "0 degC is 273.15 K": zero_celsius,
}


def scalar_gpp(model: ModuleType, table: pd.DataFrame) -> np.ndarray:
    """Return GPP of canopy hours from the compiled specification."""
    loop = hours_loop(model.two_leaf)
    gpp = np.empty(len(table))
    for code, part in table.groupby("lc"):
        beps = BEPS_PFTS[code]
        inputs = {name: part[name].to_numpy(np.float64) for name in FORCING}
        saturated = np.vectorize(saturation_vapour_pressure)(inputs["t_air_c"])
        mean = part["vcmax25"].to_numpy(np.float64) if "vcmax25" in part else np.full(len(part), beps.vcmax25_mean)
        hour = {
            "sw": inputs["sw_wm2"],
            "tair": inputs["t_air_c"],
            "vpd": 1e3 * saturated * (1.0 - inputs["rh_pct"] / 100.0),
            "wind": inputs["wind_ms"],
            "cos_zenith": inputs["cos_zenith"],
            "ca": inputs["co2_ppm"],
            "lai": inputs["lai"],
            "clumping": inputs["clumping"],
            "soil_water_stress": inputs["f_sw"],
            "vcmax25": mean * beps.nitrogen_factor,
            "g1": part["m_bb"].to_numpy(np.float64) if "m_bb" in part else np.full(len(part), beps.pft.g1),
        }
        out = np.empty((2, len(part)))
        numbers = pft_numbers(beps.pft)
        floats = type(numbers)(*(x if isinstance(x, bool) else float(x) for x in numbers))
        loop(np.stack([hour[name] for name in Hour._fields[:-1]]), floats, out)
        gpp[table.index.get_indexer(part.index)] = out.sum(axis=0)
    return gpp


def line(name: str, ours: tuple[np.ndarray, np.ndarray], base: tuple[np.ndarray, np.ndarray], site: pd.Series) -> str:
    """Write one row: change of GPP of canopy hours, and of the annual GPP of sites."""
    d = ours[0] - base[0]
    annual = pd.Series(ours[1]).groupby(site).sum() / pd.Series(base[1]).groupby(site).sum() - 1.0
    sites = f"{100 * annual.min():+.2f} to {100 * annual.max():+.2f}"
    return f"| {name} | {d.mean():+.4f} | {np.abs(d).mean():.4f} | {np.quantile(np.abs(d), 0.99):.3f} | {sites} |"


def rows(folder: Path) -> Iterator[str]:
    canopy = read(folder, "canopy", [*FORCING, "vcmax25", "m_bb", *CLASSES])
    hourly = read(folder, "site_hourly", ["site", *FORCING])
    if canopy is None or hourly is None:
        raise SystemExit(f"{folder}: expected canopy.csv.gz and site_hourly.csv.gz")
    canopy = canopy[(canopy.cos_zenith > 0) & (canopy.sw_wm2 > 0)].reset_index(drop=True)

    def both(model: ModuleType) -> tuple[np.ndarray, np.ndarray]:
        return scalar_gpp(model, canopy), scalar_gpp(model, hourly)

    yield "| departure | mean | mean size | p99 of size | annual GPP of sites, % |"
    yield "|---|---|---|---|---|"
    base = both(COMPAT)
    for name, change in DEPARTURES.items():
        yield line(name, both(compiled(change())[1]), base, hourly.site)
    modes = [tuple(canopy_gpp(t, mode).sum(0) for t in (canopy, hourly)) for mode in ("default", "beps")]
    yield line("all of these: default beside BEPS mode", modes[0], modes[1], hourly.site)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="folder of the tables")
    for text in rows(parser.parse_args().data):
        print(text, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
