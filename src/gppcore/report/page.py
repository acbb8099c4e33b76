"""Writes the figures and one HTML page that holds them all and needs nothing else."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from functools import partial
from importlib.resources import files
from io import BytesIO
from pathlib import Path

import jinja2
import matplotlib
from matplotlib.figure import Figure

from gppcore.report import figures
from gppcore.report.data import METHODS, SCHEMES, ReportData

FIGURES: dict[str, Callable[[ReportData], Figure]] = {
    "annual_gpp": figures.annual_map,
    "july_gpp": partial(figures.month_map, month="july"),
    "january_gpp": partial(figures.month_map, month="january"),
    "difference": figures.difference_map,
    "zonal": figures.zonal,
    "scatter": figures.scatter,
    "seasonal": figures.seasonal,
    "timing": figures.timing,
}


def write_report(data: ReportData, out: Path) -> Path:
    """Write `report.html` and its figures as PNG files into a folder.

    The page holds its figures, needs no network and no script, and prints.

    Parameters
    ----------
    data : ReportData
        What to show.
    out : Path
        Folder, made if it does not exist; earlier files of the same names are replaced.

    Returns
    -------
    Path
        The page.
    """
    out.mkdir(parents=True, exist_ok=True)
    images = {}
    for name, draw in FIGURES.items():
        image = _png(draw, data)
        (out / f"{name}.png").write_bytes(image)
        images[name] = "data:image/png;base64," + b64encode(image).decode("ascii")
    page = out / "report.html"
    page.write_text(_template().render(data=data, images=images, methods=METHODS, schemes=SCHEMES), encoding="utf-8")
    return page


def _png(draw: Callable[[ReportData], Figure], data: ReportData) -> bytes:
    buffer = BytesIO()
    with matplotlib.rc_context(figures.STYLE):
        # No software version in the file: the same data give the same bytes.
        draw(data).savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()


def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters.update(number=_number, minutes=_minutes, window=_window)
    return environment.from_string(files("gppcore.report").joinpath("report.html.j2").read_text("utf-8"))


def _number(value: float, digits: int, sign: bool = False) -> str:
    """Return a number with a fixed count of decimals and a true minus sign; a dash for NaN."""
    if value != value:
        return "\N{EN DASH}"
    return f"{value:{'+' if sign else ''},.{digits}f}".replace("-", "\N{MINUS SIGN}")


def _minutes(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < 120 else f"{int(seconds // 60)} min {int(seconds % 60)} s"


def _window(region: tuple[float, float, float, float]) -> str:
    south, north, west, east = region
    lat = [f"{abs(value):g}°{'N' if value >= 0 else 'S'}" for value in (south, north)]
    lon = [f"{abs(value):g}°{'E' if value >= 0 else 'W'}" for value in (west, east)]
    return f"{lat[0]} to {lat[1]}, {lon[0]} to {lon[1]}"
