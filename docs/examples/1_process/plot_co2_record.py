"""
GPP under rising CO2
====================

CO2 of Mauna Loa since 1959, and what it alone does to GPP of a C3 and a C4 canopy at a summer noon.
"""

import matplotlib.pyplot as plt
import numpy as np

from gppcore import PFTS, Canopy, Forcing, plot, two_leaf_gpp
from gppcore.features.co2 import co2_monthly

years = np.arange(1959, 2024)
ca = co2_monthly(years, 7)
noon = Forcing(sw=600.0, tair=22.0, vpd=1000.0, cos_zenith=0.8, ca=ca)

with plt.rc_context(plot.STYLE):
    fig, (top, bottom) = plt.subplots(2, 1, sharex=True, figsize=(6, 4.6), layout="constrained")
    top.plot(years, ca)
    top.set_ylabel("CO$_2$ (µmol mol$^{-1}$)")
    for pft, style in (("crop", "-"), ("crop_c4", "--")):
        gpp = two_leaf_gpp(noon, Canopy(lai=3.0), PFTS[pft]).gpp
        bottom.plot(years, 100.0 * (gpp / gpp[0] - 1.0), style, label=PFTS[pft].long_name)
    bottom.set(ylabel="GPP since 1959 (%)")
    bottom.legend()
