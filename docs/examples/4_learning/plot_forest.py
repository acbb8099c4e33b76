"""
A response that trees learned
=============================

Boosted trees learn the response of GPP to leaf area from simulations, and gppcore predicts with them.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.ensemble import HistGradientBoostingRegressor

from gppcore import PFTS, Canopy, Forcing, Forest, plot, two_leaf_gpp

rng = np.random.default_rng(0)
x = np.column_stack([rng.uniform(0.1, 6, 4000), rng.uniform(0, 900, 4000)])  # leaf area, light
noon = {"tair": 22.0, "vpd": 1000.0, "cos_zenith": 0.8, "ca": 410.0}
gpp = two_leaf_gpp(Forcing(sw=x[:, 1], **noon), Canopy(lai=x[:, 0]), PFTS["dbf"]).gpp
forest = Forest.from_sklearn(HistGradientBoostingRegressor(max_iter=80, random_state=0).fit(x, gpp))
lai = np.linspace(0.1, 6, 200)

with plt.rc_context(plot.STYLE):
    fig, ax = plt.subplots(layout="constrained")
    for sw in (150.0, 400.0, 800.0):
        truth = two_leaf_gpp(Forcing(sw=sw, **noon), Canopy(lai=lai), PFTS["dbf"]).gpp
        (line,) = ax.plot(lai, forest.predict_columns([lai, sw]), label=f"{sw:.0f} W m$^{{-2}}$")
        ax.plot(lai, truth, "--", color=line.get_color(), lw=0.9)
    ax.set(
        xlabel="leaf area index (m$^2$ m$^{-2}$)",
        ylabel="GPP (µmol m$^{-2}$ s$^{-1}$)",
        title="trees, and the model (dashed)",
    )
    ax.legend()
