"""
More towers, more skill
=======================

How well one factor for each land cover, fitted to few towers, corrects the process model at the others.
"""

import matplotlib.pyplot as plt

from gppcore import FewTowers, evaluate, plot, simulate
from gppcore.demo.towers import demonstration_towers
from gppcore.evaluation.metrics import skill

towers = demonstration_towers(35, 60, -10, 30)
samples = towers.samples(simulate(towers.forcing))


def factors(train, test):
    """Scale process GPP by the ratio of means of the class, or of all towers where the class is absent."""
    whole = train.gpp_daily.mean() / train.process.mean()
    means = train.groups.assign(gpp=train.gpp_daily, process=train.process).groupby("pft")[["gpp", "process"]].mean()
    return test.process * test.groups["pft"].map(means["gpp"] / means["process"]).fillna(whole).to_numpy()


numbers = (2, 4, 8, 12)
methods = {"factors": factors, "process": lambda train, test: test.process}
found = evaluate(methods, samples, scheme="few_towers", few_towers=FewTowers(numbers, draws=20))
curves = {name: [] for name in methods}
for number in numbers:
    of = [fold for fold in found.splits if fold.towers == number]
    for name, method in methods.items():
        r2 = [
            skill(samples.gpp_daily[fold.test], method(samples.take(fold.train), samples.take(fold.test)))["r2"]
            for fold in of
        ]
        curves[name].append(sum(r2) / len(r2))

with plt.rc_context(plot.STYLE):
    ax = plot.learning_curve(numbers, curves)
    ax.legend()
