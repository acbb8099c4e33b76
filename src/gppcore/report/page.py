"""Writes figures and one HTML page that holds them all and needs nothing else."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Mapping
from importlib.resources import files
from io import BytesIO
from pathlib import Path
from typing import Any

import jinja2
import matplotlib
from matplotlib.figure import Figure

from gppcore.errors import disk_errors
from gppcore.report import style

Draw = Callable[[], Figure]


def write_page(template: str, drawings: Mapping[str, Draw], out: Path, **content: Any) -> Path:
    """Write `report.html` from a template and its figures as PNG files into a folder, and return the page.

    The page holds its figures, needs no network and no script, and prints.
    """
    with disk_errors(out):
        out.mkdir(parents=True, exist_ok=True)
        images = {}
        for name, draw in drawings.items():
            image = _png(draw)
            (out / f"{name}.png").write_bytes(image)
            images[name] = "data:image/png;base64," + b64encode(image).decode("ascii")
        page = out / "report.html"
        text = _environment().get_template(template).render(images=images, colours=style.COLOURS, **content)
        page.write_text(text, encoding="utf-8")
    return page


def _png(draw: Draw) -> bytes:
    buffer = BytesIO()
    with matplotlib.rc_context(style.STYLE):
        # No software version in the file: the same data give the same bytes.
        draw().savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()


def _environment() -> jinja2.Environment:
    folder = files("gppcore.report").joinpath("templates")
    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(lambda name: folder.joinpath(name).read_text("utf-8")),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(number=_number, minutes=_minutes, window=_window, label=style.label)
    return environment


def _number(value: float | None, digits: int, sign: bool = False) -> str:
    """Return a number with a fixed count of decimals and a true minus sign; a dash for NaN or None."""
    if value is None or value != value:
        return "\N{EN DASH}"
    return f"{value:{'+' if sign else ''},.{digits}f}".replace("-", "\N{MINUS SIGN}")


def _minutes(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < 120 else f"{int(seconds // 60)} min {int(seconds % 60)} s"


def _window(region: tuple[float, float, float, float]) -> str:
    south, north, west, east = region
    lat = [f"{abs(value):g}°{'N' if value >= 0 else 'S'}" for value in (south, north)]
    lon = [f"{abs(value):g}°{'E' if value >= 0 else 'W'}" for value in (west, east)]
    return f"{lat[0]} to {lat[1]}, {lon[0]} to {lon[1]}"
