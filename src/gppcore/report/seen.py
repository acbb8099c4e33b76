"""Texts that say what is seen in a figure, from the numbers that it draws."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from gppcore.plot.style import Floats, text_of

MONTH_NAMES = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
FLUX, ANNUAL_FLUX = "g C m⁻² d⁻¹", "g C m⁻² yr⁻¹"


def number(value: float, digits: int = 2, sign: bool = False) -> str:
    """Return a number with a fixed count of decimals and a true minus sign."""
    return f"{value:{'+' if sign else ''},.{digits}f}".replace("-", "\N{MINUS SIGN}")


def place(lat: float, lon: float) -> str:
    """Return a place in whole degrees."""
    lon = (lon + 180.0) % 360.0 - 180.0
    return f"{abs(lat):.0f}°{'N' if lat >= 0 else 'S'} {abs(lon):.0f}°{'E' if lon >= 0 else 'W'}"


def of_map(lat: Floats, lon: Floats, field: Floats, unit: str, *, sign: bool = False, digits: int = 0) -> str:
    """Say the mean, the range and where the highest and lowest values lie, over areas of about 10 degrees."""
    weight = np.cos(np.deg2rad(lat))[:, None] * np.isfinite(field)
    values = np.where(np.isfinite(field), field, 0.0)
    mean = float((values * weight).sum() / weight.sum())
    known = field[np.isfinite(field)]
    low, high = (float(v) for v in np.quantile(known, (0.05, 0.95)))
    rows, columns = (np.floor(each / 10).astype(int) for each in (lat, lon))
    total: dict[tuple[int, int], tuple[float, float]] = {}
    for row in np.unique(rows):
        for column in np.unique(columns):
            part = np.ix_(rows == row, columns == column)
            if (n := float(weight[part].sum())) > 0.0:
                total[row, column] = (float((values * weight)[part].sum()) / n, n)
    most = max(n for _, n in total.values())
    means = {key: value for key, (value, n) in total.items() if n > 0.3 * most}
    (top_row, top_column), (low_row, low_column) = max(means, key=means.__getitem__), min(means, key=means.__getitem__)
    show = [number(v, digits, sign) for v in (mean, low, high)]
    return (
        f"Map: the mean over land is {show[0]} {unit}, nine tenths of it lie between {show[1]} and {show[2]}; highest "
        f"around {place(top_row * 10 + 5, top_column * 10 + 5)}, lowest around "
        f"{place(low_row * 10 + 5, low_column * 10 + 5)}."
    )


def of_zonal(lat: Floats, lines: Mapping[str, Floats]) -> str:
    """Say where each line is highest."""
    parts = []
    for name, values in lines.items():
        if np.isfinite(values).any():
            at = int(np.nanargmax(values))
            where = f"{abs(lat[at]):.0f}°{'N' if lat[at] >= 0 else 'S'}"
            parts.append(f"{text_of(name)} is highest near {where} with {number(values[at], 0)} {ANNUAL_FLUX}")
    return f"Lines by latitude: {'; '.join(parts)}."


def of_seasons(shown: Mapping[str, Mapping[str, Any]], months: Any = range(1, 13)) -> str:
    """Say the peak of each line in each panel."""
    parts = []
    for title, lines in shown.items():
        peaks = []
        for name, values in lines.items():
            if np.isfinite(values).any():
                at = int(np.nanargmax(values))
                peaks.append(f"{text_of(name)} {number(float(values[at]), 1)} in {MONTH_NAMES[list(months)[at] - 1]}")
        parts.append(f"{title}: {', '.join(peaks)}")
    return f"Peaks of the seasonal cycles in {FLUX}. {'; '.join(parts)}."


def of_skill(scores: Mapping[str, Mapping[str, float]]) -> str:
    """Say R2, RMSE and bias of each panel."""
    parts = [
        f"{text_of(name)}: R² {number(s['r2'])}, RMSE {number(s['rmse'])}, bias {number(s['bias'], 2, True)}"
        for name, s in scores.items()
    ]
    return f"Densities around the 1:1 line. {'; '.join(parts)}; RMSE and bias in {FLUX}."


def of_numbers(what: str, values: Mapping[str, float], digits: int = 2, *, sign: bool = False, unit: str = "") -> str:
    """List names and numbers."""
    parts = [f"{text_of(name)} {number(value, digits, sign)}" for name, value in values.items() if np.isfinite(value)]
    return f"{what}: {', '.join(parts)}{' ' * bool(unit)}{unit}."


def of_years(lines: Mapping[str, Mapping[int, float]]) -> str:
    """Say the first and the last total of each line."""
    parts = []
    for name, totals in lines.items():
        if totals:
            first, last = min(totals), max(totals)
            parts.append(f"{text_of(name)} {number(totals[first], 1)} in {first}, {number(totals[last], 1)} in {last}")
    return f"Totals by year in Pg C yr⁻¹: {'; '.join(parts)}."


def of_towers(lat: Floats, lon: Floats, values: Floats, names: Any, unit: str, *, sign: bool = False) -> str:
    """Say the median and the towers at the ends."""
    order = np.argsort(values)
    low, high = int(order[0]), int(order[-1])
    return (
        f"Map of {len(values)} towers: the median is {number(float(np.median(values)), 2, sign)} {unit}; lowest "
        f"{number(values[low], 2, sign)} at {names[low]} ({place(lat[low], lon[low])}), highest "
        f"{number(values[high], 2, sign)} at {names[high]} ({place(lat[high], lon[high])})."
    )
