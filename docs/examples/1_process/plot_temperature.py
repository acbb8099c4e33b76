"""
Temperature optima of C3 and C4
===============================

C4 leaves have their optimum at higher temperature; more CO2 moves that of C3 leaves up.
"""

import matplotlib.pyplot as plt
import numpy as np

from gppcore import PFTS, Canopy, Forcing, plot, two_leaf_gpp

tair = np.linspace(0, 42, 120)
vpd = np.minimum(1000.0, 300.0 * np.exp(0.06 * tair))

with plt.rc_context(plot.STYLE):
    fig, ax = plt.subplots(layout="constrained")
    for pft, ca, style in (("grass", 410.0, "-"), ("grass", 800.0, "--"), ("grass_c4", 410.0, "-.")):
        noon = Forcing(sw=700.0, tair=tair, vpd=vpd, cos_zenith=0.8, ca=ca)
        ax.plot(
            tair, two_leaf_gpp(noon, Canopy(lai=3.0), PFTS[pft]).gpp, style, label=f"{PFTS[pft].long_name}, {ca:.0f}"
        )
    ax.set(xlabel="air temperature (°C)", ylabel="GPP (µmol m$^{-2}$ s$^{-1}$)")
    ax.legend(title="type, CO$_2$ (µmol mol$^{-1}$)")
