"""
A map of the globe
==================

Fields wider than 200 degrees are drawn in Equal Earth: precipitation of a mean year.
"""

import matplotlib.pyplot as plt

from gppcore import plot
from gppcore.demo.world import open_world

with open_world() as world:
    rain = 365.25 * world["precip"].isel(lat_quarter=slice(None, None, 4), lon_quarter=slice(None, None, 4)).mean(
        "month"
    )
    rain = rain.rename(lat_quarter="lat", lon_quarter="lon").load()

with plt.rc_context(plot.STYLE):
    ax = plot.map(rain, label="precipitation (mm yr$^{-1}$)", colours="YlGnBu")
