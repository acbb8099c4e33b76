"""Observation files of towers: readers that refuse what cannot be right, and the folder that `read_towers` reads.

`read_fluxnet` reads one file, `read_sites` the metadata of sites, `sample_at_towers` gridded fields at them, and
`write_tower_folder` joins these to a folder for :func:`gppcore.read_towers`.
"""

from __future__ import annotations

from gppcore.towers.files.folder import read_lai, read_weather, write_tower_folder
from gppcore.towers.files.monthly import monthly_gpp, monthly_weather
from gppcore.towers.files.periods import Period, read_period
from gppcore.towers.files.record import TowerRecord, read_fluxnet, read_records
from gppcore.towers.files.sampling import TowerSamples, sample_at_towers
from gppcore.towers.files.sites import clusters, read_sites

__all__ = [
    "Period",
    "TowerRecord",
    "TowerSamples",
    "clusters",
    "monthly_gpp",
    "monthly_weather",
    "read_fluxnet",
    "read_lai",
    "read_period",
    "read_records",
    "read_sites",
    "read_weather",
    "sample_at_towers",
    "write_tower_folder",
]
