"""
An interval at an unseen tower
==============================

A model that never saw the tower predicts its season with a 90 % interval.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from gppcore import direct, plot, simulate
from gppcore.demo.towers import demonstration_towers

towers = demonstration_towers(43, 60, -10, 30)
samples = towers.samples(simulate(towers.forcing), predictors=["tair", "vpd", "sw", "lai", "soil_water"])
unseen = (samples.groups["site"] == "IT-Lav").to_numpy()
model = direct(samples.take(np.flatnonzero(~unseen)))
test = samples.take(np.flatnonzero(unseen))
gpp, low, high = model.predict(test.x, interval=True)
columns = {"observed": test.gpp_daily, "direct": gpp, "low": low, "high": high}
season = pd.DataFrame(columns).groupby(test.groups["month"].to_numpy()).mean()

with plt.rc_context(plot.STYLE):
    lines = {name: season[name] for name in ("observed", "direct")}
    ax = plot.season(lines, intervals={"direct": (season["low"], season["high"])}, title="IT-Lav, a spruce forest")
    ax.legend()
