"""
Process GPP of a region
=======================

The two-leaf model over a grid: forcing is aggregated to 0.25 degrees and simulated month by month.
"""

import matplotlib.pyplot as plt

from gppcore import aggregate, plot, simulate
from gppcore.constants import PFT_NAMES
from gppcore.demo.region import demonstration_region
from gppcore.features import pft_fractions

world = demonstration_region(42, 48, 5, 17)
igbp = world["igbp"].fillna(0).astype(int)
shares = pft_fractions(igbp.values.ravel()).reshape(len(PFT_NAMES), *igbp.shape)
fine = world.drop_vars("igbp").assign(pft_fraction=(("pft", "lat", "lon"), shares))
coarse = aggregate(fine, factor=5).assign_coords(pft=list(PFT_NAMES)).assign(soil_water_stress=1.0)
gpp = 365.25 * simulate(coarse, outputs=["gpp_daily"])["gpp_daily"].mean("time")
gpp = gpp.where(coarse["lai"].notnull().all("time"))  # land

with plt.rc_context(plot.STYLE):
    ax = plot.map(gpp)
