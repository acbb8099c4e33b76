"""Writes figures and one HTML page that holds them all and needs nothing else."""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from collections.abc import Mapping
from importlib.resources import files
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import quote

import jinja2
import matplotlib as mpl
from matplotlib.figure import Figure
from PIL import Image

from gppcore.errors import disk_errors
from gppcore.plot.style import COLOURS, DARK, PAPER, STYLE, text_of
from gppcore.report.figure import HALF, NARROW, WIDTH, Drawing
from gppcore.report.seen import number
from gppcore.runtime import in_processes

_STYLE: Any = {
    **STYLE,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
    "svg.hashsalt": "gppcore",
    "image.composite_image": False,  # it loses the scale of images that are drawn as points
}
"""On the page the paper is that of the page."""
_PAGE = 1072
"""Width of the page's text [CSS pixels]."""
_DPI = 110
"""Points of a figure's maps on the page, for each inch."""
_INK = {STYLE[name]: DARK[name] for name in ("text.color", "axes.edgecolor", "grid.color")}
"""Colours of letters and lines, and those on a dark page."""

METHODS = {
    "process": "The two-leaf process model with parameters from the literature; it has seen no tower.",
    "process_beps": "The same process model with the parameters of BEPS.",
    "process_calibrated": "The process model with parameters calibrated to the training towers.",
    "direct": "Machine learning (tree ensembles) from the training towers alone.",
    "pretrain_continue": "Boosting that begins with the emulator of the process model and continues with the towers.",
    "transfer": "Machine learning that first learns the process model, then the towers (transfer learning).",
    "unadapted": "The transfer model before it is adapted to the tower's own months.",
    "xgboost": "XGBoost on the same predictors, from the training towers alone.",
    "group_dro": "XGBoost whose training weights follow the towers that it fits worst (group DRO).",
    "climatology": "The mean of the tower's own months of the same calendar month.",
}
"""Methods in a sentence each."""


def write_page(
    template: str, drawings: Mapping[str, Drawing], out: Path, *, n_processes: int = 1, **content: Any
) -> Path:
    """Write `report.html` from a template and its figures as PNG files into a folder, and return the page.

    The page holds its figures as SVG, which follow light and dark pages; wide ones have a second form for narrow
    pages. It needs no network and no script, and prints.
    """
    with disk_errors(out):
        out.mkdir(parents=True, exist_ok=True)
        images = _images(drawings, out, n_processes)
        page = out / "report.html"
        text = render(template, images=images, colours=COLOURS, sentences=METHODS, **content)
        page.write_text(text, encoding="utf-8")
    return page


def _images(drawings: Mapping[str, Drawing], out: Path, n_processes: int) -> dict[str, dict[str, Any]]:
    """Write the figures as PNG and return what the templates need of them."""
    tasks = ((drawing, out / f"{name}.png") for name, drawing in drawings.items())
    return dict(zip(drawings, in_processes(_image, tasks, n_processes), strict=True))


def _image(drawing: Drawing, path: Path) -> dict[str, Any]:
    with mpl.rc_context(_STYLE):
        figure = drawing.draw(drawing.width)
        # No software version in the file: the same data give the same bytes.
        figure.savefig(path, facecolor=PAPER, metadata={"Software": None})
        figure.set_layout_engine("none")  # it is laid out
        narrow = _svg(drawing.draw(NARROW)) if drawing.width > HALF else None
        pixels = round(drawing.width * _PAGE / WIDTH)
        return {"alt": drawing.seen, "pixels": pixels, "wide": _svg(figure), "narrow": narrow}


def render(template: str, **content: Any) -> str:
    """Return a page from a template; text is escaped."""
    return _environment().get_template(template).render(**content)


def _svg(figure: Figure) -> str:
    """Return a figure as an address that holds it, with letters and lines in the colours of the page."""
    buffer = BytesIO()
    figure.savefig(buffer, format="svg", dpi=_DPI, metadata={"Date": None, "Creator": None})
    text = buffer.getvalue().decode("utf-8")
    text = re.sub(r"(?s)^.*?(?=<svg)", "", text)
    light = "".join(f"--c{i}:{colour};" for i, colour in enumerate(_INK))
    dark = "".join(f"--c{i}:{colour};" for i, colour in enumerate(_INK.values()))
    for i, colour in enumerate(_INK):
        text = text.replace(f": {colour}", f": var(--c{i})")
    rules = f"<style>svg{{{light}}}@media screen and (prefers-color-scheme: dark){{svg{{{dark}}}}}</style>"
    text = re.sub(r"<svg[^>]*>", lambda found: found[0] + rules, text, count=1)
    text = re.sub(r"(?<=data:image/png;base64,)[^\"]+", lambda found: _of_256_colours(found[0]), text)
    return "data:image/svg+xml," + quote(text, safe="=:/;+()@~'{}*!?|[]")


def _of_256_colours(png: str) -> str:
    """Return a PNG image in base64 with its colours reduced to 256, about a third of the size."""
    buffer = BytesIO()
    Image.open(BytesIO(b64decode(png))).quantize(256, Image.Quantize.FASTOCTREE).save(buffer, "png", optimize=True)
    return b64encode(buffer.getvalue()).decode("ascii")


def _environment() -> jinja2.Environment:
    folder = files("gppcore.report").joinpath("templates")
    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(lambda name: folder.joinpath(name).read_text("utf-8")),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(number=_number, minutes=_minutes, window=_window, label=text_of)
    return environment


def _number(value: float | None, digits: int, sign: bool = False) -> str:
    """Return a number with a fixed count of decimals and a true minus sign; a dash for NaN or None."""
    return "\N{EN DASH}" if value is None or value != value else number(value, digits, sign)


def _minutes(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < 120 else f"{int(seconds // 60)} min {int(seconds % 60)} s"


def _window(region: tuple[float, float, float, float]) -> str:
    south, north, west, east = region
    lat = [f"{abs(value):g}°{'N' if value >= 0 else 'S'}" for value in (south, north)]
    lon = [f"{abs(value):g}°{'E' if value >= 0 else 'W'}" for value in (west, east)]
    return f"{lat[0]} to {lat[1]}, {lon[0]} to {lon[1]}"
