"""
Means by latitude
=================

`plot.zonal` draws means along latitude: the greenest and the least green state of the year.
"""

import matplotlib.pyplot as plt

from gppcore import plot
from gppcore.demo.world import open_world

with open_world() as world:
    ndvi = world[["ndvi_max", "ndvi_min"]].isel(lat=slice(10, None, 20), lon=slice(10, None, 20)).load()
means = ndvi.mean("lon")

with plt.rc_context(plot.STYLE):
    lines = {"highest": means["ndvi_max"], "lowest": means["ndvi_min"]}
    ax = plot.zonal(means["lat"], lines, label="NDVI of the year (1)")
    ax.legend()
