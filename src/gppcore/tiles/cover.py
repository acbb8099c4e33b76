"""Land cover of any resolution as area shares of the cells of a store: classes are counted, never averaged."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from gppcore.constants import IGBP
from gppcore.errors import RangeError
from gppcore.features import SHARES
from gppcore.features.predictors import land_cover_fractions
from gppcore.regrid import LatLonGrid
from gppcore.regrid.classes import class_shares
from gppcore.tiles.fields import Fields, FieldStep, VariableSource

if TYPE_CHECKING:
    import xarray as xr

COVER = "igbp"
"""Variable of land cover classes."""
_UNKNOWN = 255
_ACRONYMS = {c.acronym: c.code for c in IGBP}


def _codes(text: str) -> dict[int, int]:
    """Return IGBP codes by class of a legend, of words such as ``CRO: 10 11``."""
    found: dict[int, int] = {}
    for part in text.split(","):
        acronym, classes = part.split(":")
        found |= {int(code): _ACRONYMS[acronym.strip()] for code in classes.split()}
    return found


LEGENDS: Mapping[str, Mapping[int, int]] = {
    # MODIS: 0 is water up to collection 5 and in MCD12C1, 17 in MCD12Q1; 254 and 255 are missing.
    "igbp": {**{c.code: c.code for c in IGBP}, 17: 0, 254: _UNKNOWN, 255: _UNKNOWN},
    # ESA CCI and C3S (UN LCCS). Flooded trees are evergreen broadleaf ones for the most part: swamps, mangroves.
    "esa-cci": {
        0: _UNKNOWN,
        **_codes(
            "CRO: 10 11 12 20, CVM: 30 40, EBF: 50 160 170, DBF: 60 61 62, ENF: 70 71 72, DNF: 80 81 82, MF: 90, "
            "WSA: 100, SAV: 110, OSH: 120 121 122, GRA: 130, BSV: 140 150 151 152 153 200 201 202, WET: 180, URB: 190, "
            "WAT: 210, SNO: 220"
        ),
    },
    # GLASS-GLC does not tell forests apart.
    "glass": {
        0: _UNKNOWN,
        **_codes("CRO: 10, MF: 20, GRA: 30, OSH: 40 70, WET: 50, WAT: 60, URB: 80, BSV: 90, SNO: 100"),
    },
}
"""IGBP class by class of a legend."""


class Cover(Fields):
    """Files of land cover classes: the class of the largest area in a cell, and the area shares of all types."""

    def __init__(
        self,
        source: VariableSource,
        folder: Path,
        stack: ExitStack,
        *,
        others: Collection[str] = (),
        years: tuple[int, int] | None = None,
    ) -> None:
        legend = source.legend or "igbp"
        if legend not in LEGENDS:
            raise RangeError(f"{COVER}: legend: expected one of {sorted(LEGENDS)}, got {legend!r}")
        if not source.static or source.method != "conservative" or (source.scale, source.offset) != (1.0, 0.0):
            raise RangeError(
                f"{COVER}: expected classes with static = true, and neither method nor scale, got {source}"
            )
        super().__init__(COVER, source, folder, stack, years=years)
        self._legend = np.full(_UNKNOWN + 1, -1, dtype=np.int16)
        for code, igbp in LEGENDS[legend].items():
            self._legend[code] = igbp
        shares = SHARES
        self.names = (COVER, *(name for name in shares if name not in others))

    def _unit(self, data: xr.DataArray, where: str) -> str | None:
        """Return None: producers state units such as "class number"."""
        return None

    def converted(self, values: NDArray[Any], field: FieldStep, rows: slice) -> NDArray[np.float32]:
        """Return stored values of rows of a field as IGBP classes, NaN where they are missing."""
        found = super().converted(values, field, rows)
        known = ~np.isnan(found)
        codes = np.where(known, found, _UNKNOWN)
        wrong = known & ((codes != np.rint(codes)) | (codes < 0) | (codes > _UNKNOWN))
        igbp = self._legend[np.where(wrong, 0, codes).astype(np.intp)]
        wrong |= known & (igbp < 0)
        if wrong.any():
            raise RangeError(
                f"{COVER}: expected classes of the legend {self.source.legend or 'igbp'!r}, got {found[wrong][0]:g} in "
                f"{wrong.sum()} cells of {field.path}; choose the `legend` of the file out of {sorted(LEGENDS)}, or "
                "mask those cells by the attribute _FillValue"
            )
        return np.where(known & (igbp != _UNKNOWN), igbp, np.nan).astype(np.float32)

    def bands(self, year: int | None, grid: LatLonGrid, rows: slice, n_threads: int) -> Iterator[NDArray[np.float32]]:
        """Yield the fields of `names` on rows of the grid of the store; shares are those of the known area."""
        first = self.month(year, 1)[0]
        parts = [self._fields_of(grid, piece, n_threads) for piece in self.pieces(first, grid, rows)]
        for number in range(len(self.names)):
            yield np.concatenate([part[number] for part in parts])

    def _fields_of(self, grid: LatLonGrid, rows: slice, n_threads: int) -> list[NDArray[np.float32]]:
        """Return the class of the largest share over all years, and the shares of the types."""
        held = self._held(grid, rows, n_threads)
        shape = grid.rows(rows).shape
        known = np.zeros(shape, dtype=bool)
        largest, most = np.zeros(shape), np.zeros(shape, dtype=np.float32)
        shares: dict[str, NDArray[np.float64]] = {name: np.zeros(shape) for name in self.names[1:]}
        for code, of_cell in sorted(held.items()):
            known |= ~np.isnan(of_cell)
            here = of_cell > 0.0
            largest[here & (of_cell > most)] = code
            most = np.fmax(most, of_cell)
            of_class = land_cover_fractions(np.array([code]))
            of_types = of_cell[here].astype(np.float64)
            for name, share in shares.items():
                if of_class[name][0] > 0.0:
                    share[here] += of_types * of_class[name][0]
        return [np.where(known, each, np.nan).astype(np.float32) for each in (largest, *shares.values())]

    def _held(self, grid: LatLonGrid, rows: slice, n_threads: int) -> dict[float, NDArray[np.float32]]:
        """Return the share of each class, the mean over the years in which the cell is known."""
        fields = self.yearly()
        total: dict[float, NDArray[np.float64]] = {}
        weight = np.zeros(grid.rows(rows).shape)
        for field, of_years in fields:
            used, plan = self.plan(field, grid, rows)
            found = dict(class_shares(plan, self.values(field, used), n_threads=n_threads))
            if len(fields) == 1:
                return found
            for code, held in found.items():
                total.setdefault(code, np.zeros(weight.shape))
                total[code] += of_years * np.nan_to_num(held)
            weight += of_years * ~np.isnan(next(iter(found.values()), np.full(weight.shape, np.nan)))
        with np.errstate(invalid="ignore"):
            return {code: (held / weight).astype(np.float32) for code, held in total.items()}
