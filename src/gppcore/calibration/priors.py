"""Priors of the parameters that can be fitted to towers.

References
----------
.. [1] Kattge, J. et al. (2009) Glob. Change Biol. 15, 976-991. doi:10.1111/j.1365-2486.2008.01744.x
.. [2] Chen, J.M. et al. (2012) Global Biogeochem. Cycles 26, GB1019. doi:10.1029/2010GB003996
.. [3] Miner, G.L., Bauerle, W.L. & Baldocchi, D.D. (2017) Plant Cell Environ. 40, 1214-1238. doi:10.1111/pce.12871
.. [4] He, L. et al. (2016) Int. J. Appl. Earth Obs. Geoinf. 44, 53-60. doi:10.1016/j.jag.2015.07.007
.. [5] Ju, W. et al. (2006) Agric. For. Meteorol. 140, 181-202. doi:10.1016/j.agrformet.2006.03.016
"""

from __future__ import annotations

from dataclasses import dataclass

from gppcore.errors import RangeError


@dataclass(frozen=True)
class Prior:
    """Prior of a parameter: standard deviations of log multipliers, which approximate relative ones.

    Parameters
    ----------
    type_sd : float
        Of the types around the common multiplier of their pathway, above 0.
    common_sd : float
        Of the common multiplier around 1, above 0.
    """

    type_sd: float
    common_sd: float

    def __post_init__(self) -> None:
        if not (self.type_sd > 0.0 and self.common_sd > 0.0):
            raise RangeError(f"prior: expected standard deviations above 0, got {self.type_sd}, {self.common_sd}")


PRIORS = {
    "vcmax25": Prior(type_sd=0.3, common_sd=0.4),
    "g1": Prior(type_sd=0.3, common_sd=0.3),
    "clumping": Prior(type_sd=0.1, common_sd=0.1),
    "psi_exponent": Prior(type_sd=0.4, common_sd=0.4),
}
"""Priors of the parameters that can be fitted. `vcmax25`: leaf nitrogen, which carries it, varies within types by 0.38
to 0.53 of its mean [1]_, [2]_; `g1`: values between and within species differ by a factor of two and more [3]_;
`clumping`: satellite maps err by 0.08 at sites [4]_; `psi_exponent`: published values of two types differ by a factor
of 4 [5]_."""

SLOPE_SD = 0.1
"""Of the effect that a standard deviation of a covariate has on log Vcmax25."""
SITE_SD = 0.3
"""Of log Vcmax25 of towers of one type at one value of the covariates: what is peculiar to a site."""
_HALF_CLUSTERS = 20.0
"""Clusters of towers with which priors are half as wide as with many."""


def tightening(clusters: int) -> float:
    """Return the factor on standard deviations of priors where there are few clusters of towers.

    Few towers may be unlike all others, and what they say in excess of the literature is then wrong elsewhere.
    """
    return clusters / (clusters + _HALF_CLUSTERS)


def tightened(clusters: int) -> dict[str, Prior]:
    """Return `PRIORS`, narrower where there are few clusters of towers."""
    factor = tightening(clusters)
    return {name: Prior(factor * prior.type_sd, factor * prior.common_sd) for name, prior in PRIORS.items()}
