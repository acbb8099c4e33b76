"""
Downscaling along a line
========================

Four ways from coarse to fine cells; all but the bilinear one keep the mean of each coarse cell.
"""

import matplotlib.pyplot as plt
import numpy as np

from gppcore import downscale, plot

rng = np.random.default_rng(5)
coarse = np.repeat([[2.0, 6.0, 5.0, 9.0, 3.0, 1.0]], 3, axis=0)
covariate = np.clip(1.0 + 0.4 * rng.normal(size=(30, 60)), 0.1, None)
grid = {"lat_edges": (46.5, 45.0), "lon_edges": (6.0, 9.0)}
lon = 6.025 + 0.05 * np.arange(60)

with plt.rc_context(plot.STYLE):
    fig, ax = plt.subplots(figsize=(7, 3.6), layout="constrained")
    for method, style in (("conservative", "k-"), ("bilinear", "--"), ("smooth", "-"), ("covariate", ":")):
        options = {"covariate": covariate} if method == "covariate" else {}
        fine = downscale(coarse, factor=10, method=method, **grid, **options)
        ax.plot(lon, fine[15], style, drawstyle="steps-mid", label=method)
    ax.set(xlabel="longitude (degrees)", ylabel="GPP (g C m$^{-2}$ d$^{-1}$)")
    ax.legend()
