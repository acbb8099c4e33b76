"""
What GPP is sensitive to
========================

Exact derivatives give the change of GPP for a change of each input by 10 %.
"""

import matplotlib.pyplot as plt

from gppcore import PFTS, Canopy, Forcing, plot, two_leaf_gradient

noon = {"sw": 600.0, "vpd": 1200.0, "ca": 410.0, "tair": 22.0, "cos_zenith": 0.8}
parameters = ["sw", "vpd", "ca", "lai", "vcmax25", "g1", "clumping"]
changes = {}
for pft in ("dbf", "crop"):
    found = two_leaf_gradient(Forcing(**noon), Canopy(lai=3.0), PFTS[pft], parameters=parameters)
    at = {**noon, "lai": 3.0, **vars(PFTS[pft])}
    changes[PFTS[pft].long_name] = [10.0 * float(found.derivatives[p] * at[p] / found.flux.gpp) for p in parameters]

with plt.rc_context(plot.STYLE):
    ax = plot.bars(parameters, changes, label="change of GPP for +10 % (%)")
    ax.legend()
