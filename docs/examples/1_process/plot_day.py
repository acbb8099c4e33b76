"""
A day, hour by hour
===================

`simulate` runs hourly forcing and gives GPP of each hour and the mean of the day.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import xarray as xr

from gppcore import plot, simulate

time = pd.date_range("2015-06-21", periods=48, freq="30min")
sun = np.maximum(np.sin((time.hour + time.minute / 60 - 4) * np.pi / 16), 0.0)
fields = {"sw": 850 * sun, "tair": 14 + 11 * sun, "vpd": 300 + 1500 * sun}
ds = xr.Dataset({name: ("time", field) for name, field in fields.items()}, {"time": time})
ds = ds.assign(ca=410.0, lai=4.0, soil_water_stress=1.0, lat=51.0, lon=10.0, pft="dbf")
outputs = ["gpp_sunlit", "gpp_shaded", "gpp_daily"]
gpp = simulate(ds, time_reference="local_solar", time_label="start", outputs=outputs)

with plt.rc_context(plot.STYLE):
    fig, ax = plt.subplots(layout="constrained")
    hour = time.hour + time.minute / 60
    ax.stackplot(hour, gpp["gpp_shaded"], gpp["gpp_sunlit"], labels=["shaded", "sunlit"], colors=["#4c78a8", "#f2b447"])
    ax.set(xlabel="solar time (h)", ylabel="GPP (µmol m$^{-2}$ s$^{-1}$)", xlim=(0, 24))
    ax.set_title(f"{float(gpp['gpp_daily'].squeeze()):.1f} g C m$^{{-2}}$ in the day")
    ax.legend(loc="upper left")
