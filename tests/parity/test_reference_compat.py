"""The specification of BEPS mode against tables of results of the published BEPS."""

import numpy as np
import pandas as pd
import pytest

from gppcore.constants import BEPS_PFTS, TWO_LEAF_CONSTANTS
from gppcore.process import reference_compat
from gppcore.process.reference import Hour, pft_numbers, saturation_vapour_pressure


@pytest.fixture(scope="module")
def oracle(shared):
    folder = shared / "oracle"
    if not folder.is_dir():
        pytest.skip(f"results of BEPS not found at {folder}")
    return folder


def leaf_net(row):
    leaf = reference_compat.biochemistry(
        row.vcmax25, TWO_LEAF_CONSTANTS.ppfd_per_shortwave * row.rad_abs_wm2, row.t_biochem_c
    )
    humidity = reference_compat.leaf_surface_humidity(
        row.e_air_kpa, row.t_biochem_c, row.t_leaf_lag_c, row.le_leaf_wm2, 1.0 / row.gb_w_ms
    )
    per_co2 = 1.6 * (row.t_biochem_c + 273.13) * 0.022624 / (273.16 * 1.013)
    slope = row.m_bb * row.f_sw * humidity / 1.6
    x = reference_compat.exchange(leaf, slope, row.g0_mol / 1.6, row.gb_w_ms / per_co2, row.co2_ppm, row.ci_init_ppm)
    return humidity, *x


def test_every_leaf_equals_beps(oracle):
    table = pd.read_csv(oracle / "leaf.csv.gz")
    mine = np.array([leaf_net(row) for row in table.itertuples()])
    # The table has nine digits; inputs rounded there move results where two roots nearly meet.
    np.testing.assert_allclose(mine[:, 0], table.rh_leaf, rtol=0, atol=1e-8)
    np.testing.assert_allclose(mine[:, 1], table.a_net_umol, rtol=0, atol=1e-4)
    np.testing.assert_allclose(mine[:, 2], table.gs_w_mol, rtol=0, atol=1e-5)


def test_canopy_hours_equal_beps(oracle):
    table = pd.read_csv(oracle / "canopy.csv.gz", nrows=150)
    table = table[table.dry == 1]
    mine = []
    for row in table.itertuples():
        beps = BEPS_PFTS[row.lc]
        vpd = 1e3 * saturation_vapour_pressure(row.t_air_c) * (1.0 - row.rh_pct / 100.0)
        top = row.vcmax25 * beps.nitrogen_factor
        h = Hour(
            sw=row.sw_wm2,
            tair=row.t_air_c,
            vpd=vpd,
            wind=row.wind_ms,
            cos_zenith=row.cos_zenith,
            ca=row.co2_ppm,
            lai=row.lai,
            clumping=row.clumping,
            soil_water_stress=row.f_sw,
            vcmax25=top,
            g1=row.m_bb,
            diffuse_fraction=-1.0,
        )
        mine.append(reference_compat.two_leaf_classes(h, pft_numbers(beps.pft)))
    names = ["gpp_o_sun", "gpp_o_sh", "gpp_u_sun", "gpp_u_sh"]
    np.testing.assert_allclose(mine, table[names], rtol=0, atol=2e-4)
