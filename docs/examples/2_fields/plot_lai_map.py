"""
A map of a region
=================

`plot.map` draws a field with coastlines in an equal-area projection: leaf area in July of the embedded world.
"""

import matplotlib.pyplot as plt

from gppcore import plot
from gppcore.demo.region import demonstration_region

world = demonstration_region(42, 48, 5, 17)

with plt.rc_context(plot.STYLE):
    ax = plot.map(world["lai"].sel(time="2001-07").squeeze("time"), label="leaf area index (m$^2$ m$^{-2}$)")
