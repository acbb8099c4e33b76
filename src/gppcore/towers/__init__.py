"""Flux towers, the target domain: tower folders, observation files and the process model at the towers."""

from gppcore.towers.towers import Towers, join_towers, read_towers

__all__ = ["Towers", "join_towers", "read_towers"]
