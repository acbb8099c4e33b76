import numpy as np

from gppcore.features.koeppen import koeppen_class
from gppcore.variables import DAYS_IN_MONTH


def test_koeppen_of_typical_climates():
    summer = np.cos((np.arange(12) - 6) * np.pi / 6)
    tair = np.array([26 + summer, 25 + 8 * summer, 12 + 8 * summer, 3 + 18 * summer, -10 + 15 * summer, 20 + summer])
    precip = np.array([[7.0], [0.1], [2.0], [1.5], [0.5], [np.nan]]) + np.zeros(12)
    classes = koeppen_class(tair.T, precip.T + np.zeros_like(tair.T)).astype("<U1")
    assert "".join(classes) == "ABCDE"
    assert classes[-1] == ""


def test_koeppen_arid_threshold_depends_on_the_season_of_rain():
    # 500 mm a year at 15 degC: arid below 300, 440 or 580 mm for rain in winter, all year or summer.
    tair = np.repeat((15 + 8 * np.cos((np.arange(12) - 6) * np.pi / 6))[:, None], 3, axis=1)
    april_to_september = np.isin(np.arange(12), range(3, 9))
    precip = np.stack([~april_to_september, np.ones(12), april_to_september], axis=1)
    precip = precip * 500 / (precip * DAYS_IN_MONTH[:, None]).sum(axis=0)
    assert "".join(koeppen_class(tair, precip).astype("<U1")) == "CCB"
    # South of the equator the same months are the other season.
    assert "".join(koeppen_class(np.roll(tair, 6, axis=0), precip).astype("<U1")) == "BCC"
