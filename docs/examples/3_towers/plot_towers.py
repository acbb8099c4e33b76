"""
Towers on a map
===============

The embedded towers of FLUXNET2015 in Europe, by land cover.
"""

import matplotlib.pyplot as plt

from gppcore import plot
from gppcore.demo.towers import demonstration_towers

sites = demonstration_towers(35, 60, -10, 30).sites

with plt.rc_context(plot.STYLE):
    ax = plot.towers(sites["lat"], sites["lon"], groups=list(sites["igbp"]))
