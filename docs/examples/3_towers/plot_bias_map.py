"""
Where the process model errs
============================

Mean bias at each tower on the map.
"""

import matplotlib.pyplot as plt

from gppcore import plot, process_gpp
from gppcore.demo.towers import demonstration_towers

towers = demonstration_towers(35, 60, -10, 30)
error = (process_gpp(towers) - towers.gpp["gpp_daily"]).groupby(towers.gpp["site_id"]).mean()
bias = error.loc[towers.sites.index]

with plt.rc_context(plot.STYLE):
    label = "process minus observed (g C m$^{-2}$ d$^{-1}$)"
    ax = plot.towers(towers.sites["lat"], towers.sites["lon"], bias, difference=True, label=label, size=40)
