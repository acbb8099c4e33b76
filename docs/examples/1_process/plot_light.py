"""
Sunlit and shaded leaves
========================

Sunlit leaves saturate as light rises; shaded leaves gain most under a bright haze.
"""

import matplotlib.pyplot as plt
import numpy as np

from gppcore import PFTS, Canopy, Forcing, plot, two_leaf_gpp

sw = np.linspace(0, 950, 100)
flux = two_leaf_gpp(Forcing(sw=sw, tair=22.0, vpd=1000.0, cos_zenith=0.8, ca=410.0), Canopy(lai=3.0), PFTS["dbf"])

with plt.rc_context(plot.STYLE):
    fig, ax = plt.subplots(layout="constrained")
    ax.stackplot(sw, flux.gpp_shaded, flux.gpp_sunlit, labels=["shaded", "sunlit"], colors=["#4c78a8", "#f2b447"])
    ax.set(xlabel="shortwave radiation (W m$^{-2}$)", ylabel="GPP (µmol m$^{-2}$ s$^{-1}$)")
    ax.legend(loc="upper left")
