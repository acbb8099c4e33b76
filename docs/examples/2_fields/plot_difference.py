"""
A difference map
================

White is no difference, and the sea is dark, so that land without a difference stands out: what 100 µmol mol-1 more CO2
would add at a July noon.
"""

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr

from gppcore import PFTS, Canopy, Forcing, aggregate, plot, two_leaf_gpp
from gppcore.demo.region import demonstration_region

july = aggregate(demonstration_region(42, 48, 5, 17).sel(time="2001-07").squeeze("time", drop=True), factor=2)
weather = {name: july[name].values for name in ("tair", "vpd")}


def noon(ca):
    """Return GPP of grass at noon."""
    light = Forcing(sw=700.0, cos_zenith=0.85, ca=ca, **weather)
    return two_leaf_gpp(light, Canopy(lai=july["lai"].values), PFTS["grass"]).gpp


more = xr.DataArray(
    noon(np.float32(510)) - noon(np.float32(410)), {"lat": july["lat"], "lon": july["lon"]}, ("lat", "lon")
)

with plt.rc_context(plot.STYLE):
    ax = plot.map(more, difference=True, label="more GPP (µmol m$^{-2}$ s$^{-1}$)")
