"""
A Taylor diagram by land cover
==============================

Correlation and standard deviation of the process model against towers.
"""

import matplotlib.pyplot as plt
import numpy as np

from gppcore import plot, process_gpp
from gppcore.demo.towers import demonstration_towers

towers = demonstration_towers(35, 60, -10, 30)
gpp, simulated = towers.gpp["gpp_daily"].to_numpy(), process_gpp(towers)
igbp = towers.sites["igbp"].loc[towers.gpp["site_id"]].to_numpy()
points = {}
for name in ("ENF", "DBF", "MF", "GRA", "CRO", "WET"):
    of = igbp == name
    points[name] = (np.corrcoef(gpp[of], simulated[of])[0, 1], simulated[of].std() / gpp[of].std())

with plt.rc_context(plot.STYLE):
    ax = plot.taylor(points)
    ax.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))
