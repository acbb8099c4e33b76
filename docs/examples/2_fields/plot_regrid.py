"""
Regridding between any two grids
================================

First-order conservative remapping keeps the integral of a field, also between grids that do not nest.
"""

import matplotlib.pyplot as plt
import numpy as np

from gppcore import LatLonGrid, RegridPlan, plot
from gppcore.demo.region import demonstration_region
from gppcore.regrid import conservation_report

lai = demonstration_region(44, 48, 5, 13)["lai"].sel(time="2001-07").squeeze("time", drop=True)
source = LatLonGrid.from_centres(lai["lat"].values, lai["lon"].values)
target = LatLonGrid(np.arange(48.0, 43.9, -0.6), np.arange(5.0, 13.1, 0.7))
mean = RegridPlan(source, target).apply(lai.values)
report = conservation_report(lai.values, mean, source, target)

with plt.rc_context(plot.STYLE):
    fig, axes = plt.subplots(1, 2, figsize=(8, 3), sharey=True, layout="constrained")
    for ax, grid, field in zip(axes, (source, target), (lai.values, mean), strict=True):
        picture = ax.pcolormesh(grid.lon_edges, grid.lat_edges, field, vmin=0, vmax=5, cmap="YlGn")
        ax.set(title=f"{field.shape[0]} x {field.shape[1]} cells", xlabel="longitude (degrees)")
    axes[0].set_ylabel("latitude (degrees)")
    fig.colorbar(picture, ax=axes, label="leaf area index (m$^2$ m$^{-2}$)")

print(f"relative error of the integral: {report.relative_error:.1e}")
