"""
Calibrated parameters
=====================

Vcmax25 of each type before and after calibration to towers, with its 90 % interval.
"""

import matplotlib.pyplot as plt

from gppcore import calibrate, plot
from gppcore.demo.towers import demonstration_towers

fit = calibrate(demonstration_towers(35, 60, -10, 30), parameters=["vcmax25"])
changes = {}
for name, estimates in fit.estimates.items():
    found = estimates["vcmax25"]
    change, half = found.value - found.before, 1.645 * found.sd
    changes[name] = (change, change - half, change + half)

with plt.rc_context(plot.STYLE):
    ax = plot.intervals(changes, label="change of Vcmax25 (µmol m$^{-2}$ s$^{-1}$)", digits=1)
