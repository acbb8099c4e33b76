"""
Seasons at towers
=================

Observed and simulated mean seasons of four kinds of land cover.
"""

import matplotlib.pyplot as plt

from gppcore import plot, process_gpp
from gppcore.demo.towers import demonstration_towers

towers = demonstration_towers(35, 60, -10, 30)
table = towers.gpp.assign(process=process_gpp(towers), igbp=towers.sites["igbp"].loc[towers.gpp["site_id"]].to_numpy())

with plt.rc_context(plot.STYLE):
    fig, axes = plt.subplots(2, 2, figsize=(7.5, 5.5), sharex=True, sharey=True, layout="constrained")
    for igbp, ax in zip(("ENF", "DBF", "GRA", "CRO"), axes.ravel(), strict=True):
        season = table[table["igbp"] == igbp].groupby("month")[["gpp_daily", "process"]].mean()
        plot.season({"observed": season["gpp_daily"], "process": season["process"]}, title=igbp, label="", ax=ax)
    axes[0, 0].set_ylim(0, 16)
    axes[0, 0].legend()
    fig.supylabel("GPP (g C m$^{-2}$ d$^{-1}$)")
