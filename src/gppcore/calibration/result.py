"""The result of a calibration: fitted parameters with their standard deviations, kept as JSON."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from gppcore.constants import PlantFunctionalType
from gppcore.errors import CalibrationFormatError, MissingFileError
from gppcore.io.durable import write_json
from gppcore.io.reading import read_json
from gppcore.process.parameters import CalibratedParameters

_FORMAT, _FORMAT_OF_PLACES = "gppcore calibration 1", "gppcore calibration 2"
_LIMIT = 2**24
"""Largest file [bytes]."""


@dataclass(frozen=True)
class Estimate:
    """A fitted parameter of a type, in the parameter's unit.

    Attributes
    ----------
    before, value : float
        The value before and after the fit.
    sd : float
        Posterior standard deviation of `value`.
    """

    before: float
    value: float
    sd: float


@dataclass(frozen=True)
class Calibration:
    """Parameters fitted to towers by :func:`gppcore.calibrate`.

    Attributes
    ----------
    pfts : dict of str to PlantFunctionalType
        All types with fitted parameters: argument of `simulate` and `process_gpp`. A
        :class:`gppcore.CalibratedParameters` where Vcmax25 follows the place.
    estimates : dict of str to dict of str to Estimate
        By type, then by parameter.
    cost_before, cost_after : float
        Half the sum of the losses of towers and priors, with the parameters before and after the fit.
    sites : tuple of str
        Towers that were used.
    rows : int
        Tower months that were used.
    evaluations : int
        Evaluations of the process model.
    message : str
        Why the fit ended.

    Examples
    --------
    >>> from gppcore import Calibration, calibrate
    >>> from gppcore.demo.towers import demonstration_towers
    >>> fit = calibrate(demonstration_towers(45, 48, 5, 12))
    >>> len(fit.sites), fit.rows, fit.cost_after < fit.cost_before
    (11, 955, True)
    >>> fit.save("calibration.json")
    >>> Calibration.load("calibration.json").pfts["enf"] == fit.pfts["enf"]
    True
    """

    pfts: Mapping[str, PlantFunctionalType]
    estimates: Mapping[str, Mapping[str, Estimate]]
    cost_before: float
    cost_after: float
    sites: tuple[str, ...]
    rows: int
    evaluations: int
    message: str

    def save(self, path: str | Path) -> None:
        """Write to a JSON file, which is replaced in one step if it exists."""
        content = {**asdict(self), "pfts": self.pfts}
        if isinstance(self.pfts, CalibratedParameters):
            content |= {"format": _FORMAT_OF_PLACES, "pfts": self.pfts.to_json()}
        else:
            content |= {"format": _FORMAT, "pfts": {name: asdict(pft) for name, pft in self.pfts.items()}}
        write_json(Path(path), {**content, "crc32": _checksum(content)})

    @classmethod
    def load(cls, path: str | Path) -> Calibration:
        """Read what :meth:`save` wrote.

        Raises
        ------
        MissingFileError
            If there is no such file.
        CalibrationFormatError
            If it is not a calibration of this version.
        """
        path = Path(path)
        if not path.is_file():
            raise MissingFileError(f"calibration: expected a file, got {path}")
        try:
            content = read_json(path, CalibrationFormatError, limit=_LIMIT)
            checksum = content.pop("crc32", None)
            if (found := content.get("format")) not in (_FORMAT, _FORMAT_OF_PLACES):
                raise CalibrationFormatError(f"{path}: expected format {_FORMAT_OF_PLACES!r}, got {found!r}")
            if checksum != _checksum(content):
                raise CalibrationFormatError(f"{path}: expected the file as it was written, got another checksum")
            del content["format"]
            if found == _FORMAT_OF_PLACES:
                content["pfts"] = CalibratedParameters.from_json(content["pfts"])
            else:
                content["pfts"] = {name: PlantFunctionalType(**pft) for name, pft in content["pfts"].items()}
            content["estimates"] = {
                name: {parameter: Estimate(**estimate) for parameter, estimate in own.items()}
                for name, own in content["estimates"].items()
            }
            return cls(**{**content, "sites": tuple(content["sites"])})
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise CalibrationFormatError(f"{path}: expected a calibration, got {error!r}") from error


def _checksum(content: Mapping[str, Any]) -> int:
    return zlib.crc32(json.dumps(content, sort_keys=True).encode())
