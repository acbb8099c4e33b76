"""
Observed against simulated
==========================

The density of tower months around the 1:1 line, with R2, RMSE and bias.
"""

import matplotlib.pyplot as plt

from gppcore import plot, process_gpp
from gppcore.demo.towers import demonstration_towers

towers = demonstration_towers(35, 60, -10, 30)

with plt.rc_context(plot.STYLE):
    ax = plot.scatter(towers.gpp["gpp_daily"], process_gpp(towers), title="process model")
    plot.share_density([ax], "tower months")
