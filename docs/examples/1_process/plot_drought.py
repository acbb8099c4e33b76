"""
Dry air and dry soil
====================

Both close stomata: the deficit of the air and the water stress of the soil.
"""

import matplotlib.pyplot as plt
import numpy as np

from gppcore import PFTS, Canopy, Forcing, plot, two_leaf_gpp

vpd, stress = np.meshgrid(np.linspace(100, 4000, 80), np.linspace(0.05, 1.0, 80))
noon = Forcing(sw=700.0, tair=30.0, vpd=vpd, cos_zenith=0.8, ca=410.0)
gpp = two_leaf_gpp(noon, Canopy(lai=3.0, soil_water_stress=stress), PFTS["grass"]).gpp

with plt.rc_context(plot.STYLE):
    fig, ax = plt.subplots(layout="constrained")
    picture = ax.contourf(vpd, stress, gpp, levels=12, cmap="viridis")
    ax.set(xlabel="vapour pressure deficit (Pa)", ylabel="soil-water stress factor (1 is unstressed)")
    fig.colorbar(picture, label="GPP (µmol m$^{-2}$ s$^{-1}$)")
