"""The table that a run prints at the end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.table import Table


def result_table(summary: Mapping[str, Any]) -> Table:
    """Return skill by scheme and the annual totals of the three methods."""
    table = Table(title=summary["experiment"])
    table.add_column("held out")
    table.add_column("method")
    for name in ("R2", "RMSE", "bias", "total GPP"):
        table.add_column(name, justify="right")
    for scheme, methods in summary["skill_by_scheme"].items():
        for method, skill in methods.items():
            total = f"{summary['gpp_pg_c_yr'][method]:.2f}" if scheme == "site" else ""
            cells = (f"{skill['r2']:.3f}", f"{skill['rmse']:.2f}", f"{skill['bias']:+.2f}", total)
            table.add_row(scheme if method == "process" else "", method, *cells)
        table.add_section()
    seconds, memory = summary["seconds"]["total"], summary["peak_rss_gb"]
    table.caption = (
        "RMSE and bias in g C m-2 d-1, GPP in Pg C yr-1\n"
        f"{summary['land_cells']:,} land cells, {seconds:.0f} s, peak memory {memory:.1f} GB"
    )
    return table
