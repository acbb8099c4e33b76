"""
A single leaf
=============

`leaf_gas_exchange` solves photosynthesis and stomata of a leaf together: assimilation and the CO2 inside the leaf.
"""

import matplotlib.pyplot as plt
import numpy as np

from gppcore import leaf_gas_exchange, plot

ca = np.linspace(60, 1000, 100)
air = {"ppfd": 1500.0, "tair": 25.0, "humidity": 0.7, "boundary_conductance": 2.0, "ca": ca}
c3 = leaf_gas_exchange(vcmax25=60.0, g1=8.0, g0=0.0175, **air)
c4 = leaf_gas_exchange(vcmax25=40.0, g1=4.0, g0=0.04, pathway="C4", **air)

with plt.rc_context(plot.STYLE):
    fig, (left, right) = plt.subplots(1, 2, figsize=(8, 3.4), layout="constrained")
    for leaf, label, style in ((c3, "C3", "-"), (c4, "C4", "--")):
        left.plot(leaf.ci, leaf.a_net, style, label=label)
        right.plot(ca, leaf.conductance, style, label=label)
    left.set(xlabel="CO$_2$ inside (µmol mol$^{-1}$)", ylabel="assimilation (µmol m$^{-2}$ s$^{-1}$)")
    right.set(xlabel="CO$_2$ of the air (µmol mol$^{-1}$)", ylabel="conductance (mol m$^{-2}$ s$^{-1}$)")
    left.legend()
