"""
Months of a network
===================

How many months of GPP each tower has in each year.
"""

import matplotlib.pyplot as plt

from gppcore import plot
from gppcore.demo.towers import demonstration_towers

gpp = demonstration_towers(45, 48, 5, 12).gpp
counts = gpp.pivot_table(index="site_id", columns="year", values="month", aggfunc="count", fill_value=0)

with plt.rc_context(plot.STYLE):
    ax = plot.coverage(counts)
