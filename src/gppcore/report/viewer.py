"""The viewer: one HTML file with the months of a product, their intervals, and towers, to click through."""

from __future__ import annotations

import gzip
from base64 import b64encode
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.colors import to_hex
from numpy.typing import NDArray

import gppcore
from gppcore.comparison.common import climatology
from gppcore.comparison.read import Field, read
from gppcore.errors import ProductFormatError, disk_errors
from gppcore.io.cf import open_cf
from gppcore.io.sources import located, split_variable
from gppcore.plot.geography import NO_DATA, SEA, coasts
from gppcore.plot.projection import Window
from gppcore.plot.style import GPP_COLOURS
from gppcore.regrid import LatLonGrid
from gppcore.report.page import render

if TYPE_CHECKING:
    from gppcore.towers import Towers

_CELLS = 100_000
_VALUES = 6_000_000
"""Land cells and stored values of the page, at most about: its file then has a few megabytes, 10 with single years."""
_STEP = 0.01
"""Step of the stored values [g C m-2 d-1]."""
_MISSING = 65535
_MIN_VALID = 0.1
"""Valid share of a coarser cell that is shown."""
_BOUNDS = ("gpp_daily_low", "gpp_daily_high")


def write_viewer(product: str | Path, out: Path, towers: Towers | None = None) -> Path:
    """Write one HTML file that shows the calendar months of a product and a cell's seasonal cycle.

    The file needs no network. Fields are averaged over the years to calendar months, which single whole years stand
    beside, and by area to cells that are as coarse as the size of the file needs: about 100,000 land cells of one year,
    or 20,000 of 20 years.

    Parameters
    ----------
    product : str or Path
        CF file or Zarr product of GPP, FILE or FILE:VARIABLE; intervals are shown where it has `gpp_daily_low` and
        `gpp_daily_high`.
    out : Path
        The file; an earlier one is replaced.
    towers : Towers, optional
        Towers to show, with their mean observed months.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    ProductFormatError
        If the product has no GPP on a grid, no value, or annual means only.
    UnitsError
        If its unit is unknown.
    """
    with ExitStack() as stack:
        field = read(product, stack)
        if field.annual:
            raise ProductFormatError(f"{field.name}: expected monthly GPP, got annual means")
        months = tuple(sorted(set(field.months)))
        steps = set(zip(field.years, field.months, strict=False))
        single = [y for y in sorted(set(field.years)) if all((y, month) in steps for month in months)]
        if len(single) < 2:
            single = []
        path = located(split_variable(str(product))[0], Path())
        bounded = field.name.endswith(": gpp_daily") and set(_BOUNDS) <= set(
            stack.enter_context(open_cf(path, "product"))
        )
        grid = _coarse(field, min(_CELLS, _VALUES // (len(months) * (1 + 2 * bounded + len(single)))))
        stored = [_months(field, grid, months)]
        if bounded:
            stored += [_months(read(f"{path}:{bound}", stack), grid, months) for bound in _BOUNDS]
        of_years = [_months(field.of_years(year, year), grid, months) for year in single]
        years = (min(field.years), max(field.years)) if field.years else None
    land = np.flatnonzero((stored[0] != _MISSING).any(axis=0))
    if not land.size:
        raise ProductFormatError(f"{field.name}: expected GPP somewhere, got no value")
    content = {
        "name": field.name,
        "months": list(months),
        "years": years,
        "single": single,
        "lat": _ends(grid.lat_edges),
        "lon": _ends(grid.lon_edges),
        "shape": list(grid.shape),
        "globe": Window(-90, 90, float(grid.lon_edges[0]), float(grid.lon_edges[-1])).is_globe,
        "step": _STEP,
        "missing": _MISSING,
        "bounds": len(stored) == 3,
        "land": _packed(np.diff(land, prepend=0).astype(np.uint32)),
        "values": [_packed(np.ascontiguousarray(each[:, land])) for each in stored],
        "of_years": [_packed(np.ascontiguousarray(each[:, land])) for each in of_years],
        "most": float(np.quantile(stored[0][:, land][stored[0][:, land] != _MISSING], 0.995)) * _STEP,
        "colours": [to_hex(GPP_COLOURS(i / 63)) for i in range(64)],
        "sea": SEA,
        "unknown": NO_DATA,
        "coast": [np.round(line, 2).ravel().tolist() for line in coasts(0.0)[1]],
        "towers": [] if towers is None else _towers(towers, grid),
    }
    text = render("viewer.html.j2", content=content, version=gppcore.__version__, resolution=grid.step)
    with disk_errors(out):
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(text, encoding="utf-8")
    return out


def _coarse(field: Field, cells: int) -> LatLonGrid:
    """Return the grid of the page: blocks of cells, so that about as many as asked for are land."""
    rows, columns = field.grid.shape
    sampled = field.parts[0][0, :: max(1, rows // 400), :: max(1, columns // 800)].values
    share = max(float(np.isfinite(sampled).mean()), 0.01)
    factor = max(1, int(np.ceil(np.sqrt(rows * columns * share / cells))))
    edges = [np.append(each[:-1:factor], each[-1]) for each in (field.grid.lat_edges, field.grid.lon_edges)]
    # Blocks that are not whole would have another size than the page takes them to have.
    whole = [each if (size - 1) % factor == 0 else each[:-1] for each, size in
             zip(edges, (field.grid.lat_edges.size, field.grid.lon_edges.size), strict=True)]  # fmt: skip
    return LatLonGrid(*whole)


def _months(field: Field, grid: LatLonGrid, months: tuple[int, ...]) -> NDArray[np.uint16]:
    """Return the calendar months of every cell as whole steps, row by row."""
    (flux, valid), _ = climatology(field, grid, months)
    steps = np.clip(np.nan_to_num(flux) / _STEP, 0, _MISSING - 1)
    return np.where(valid >= _MIN_VALID, np.rint(steps), _MISSING).astype("<u2").reshape(len(months), -1)


def _ends(edges: NDArray[np.float64]) -> list[float]:
    return [round(float(edges[0]), 6), round(float(edges[-1]), 6)]


def _packed(values: NDArray[Any]) -> str:
    return b64encode(gzip.compress(values.tobytes(), mtime=0)).decode("ascii")


def _towers(towers: Towers, grid: LatLonGrid) -> list[dict[str, Any]]:
    """Return place, land cover and mean observed months of each tower with GPP on the grid."""
    means = towers.gpp.groupby(["site_id", "month"])["gpp_daily"].mean().unstack().reindex(columns=range(1, 13))
    (north, *_, south), (west, *_, east) = grid.lat_edges, grid.lon_edges
    places = towers.sites.loc[means.index]
    inside = places["lat"].between(south, north) & ((places["lon"] - west) % 360.0 < east - west)
    return [
        {
            "site": str(site),
            "lat": round(float(places["lat"][site]), 4),
            "lon": round(float(places["lon"][site]), 4),
            "igbp": str(places["igbp"][site]),
            "gpp": [None if np.isnan(value) else round(float(value), 2) for value in means.loc[site]],
        }
        for site in means.index[inside]
    ]
