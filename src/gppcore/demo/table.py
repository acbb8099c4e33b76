"""The short table that a run prints in the end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.table import Table


def result_table(summary: Mapping[str, Any]) -> Table:
    """Return skill by scheme and the annual totals of the three methods."""
    where = "window" if summary["region"] else "global"
    table = Table(title=summary["experiment"])
    table.add_column("method")
    for scheme in summary["skill_by_scheme"]:
        table.add_column(f"{scheme}: R2 / RMSE / bias", justify="right")
    table.add_column(f"{where} GPP, Pg C yr-1", justify="right")
    for method, total in summary["gpp_pg_c_yr"].items():
        cells = [
            "{r2:.3f} / {rmse:.2f} / {bias:+.2f}".format(**methods[method])
            for methods in summary["skill_by_scheme"].values()
        ]
        table.add_row(method, *cells, f"{total:.2f}")
    seconds, memory = summary["seconds"]["total"], summary["peak_rss_gb"]
    table.caption = f"{summary['land_cells']:,} land cells, {seconds:.0f} s, peak memory {memory:.1f} GB"
    return table
