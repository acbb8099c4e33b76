"""
Default mode and BEPS
=====================

`mode="beps"` reproduces BEPS as published, with its own parameters; the default mode solves each leaf exactly.
"""

import matplotlib.pyplot as plt
import numpy as np

from gppcore import PFTS, Canopy, Forcing, plot, two_leaf_gpp
from gppcore.constants import BEPS_PFTS

lai = np.linspace(0.2, 6, 80)
noon = Forcing(sw=600.0, tair=22.0, vpd=1000.0, cos_zenith=0.8, ca=410.0)
lines = {
    "default, its parameters": two_leaf_gpp(noon, Canopy(lai=lai), PFTS["dbf"]).gpp,
    "default, parameters of BEPS": two_leaf_gpp(noon, Canopy(lai=lai), BEPS_PFTS[6].pft).gpp,
    "BEPS": two_leaf_gpp(noon, Canopy(lai=lai), BEPS_PFTS[6].pft, mode="beps").gpp,
}

with plt.rc_context(plot.STYLE):
    fig, ax = plt.subplots(layout="constrained")
    for (label, gpp), style in zip(lines.items(), ("-", "--", ":"), strict=True):
        ax.plot(lai, gpp, style, label=label)
    ax.set(xlabel="leaf area index (m$^2$ m$^{-2}$)", ylabel="GPP (µmol m$^{-2}$ s$^{-1}$)")
    ax.set_title("deciduous broadleaf forest")
    ax.legend()
