"""Figures and self-contained HTML reports: of a demonstration run, of an evaluation and of compared products."""

from __future__ import annotations

from gppcore.report.comparison import write_comparison_report
from gppcore.report.demo import write_report
from gppcore.report.demo_data import ReportData

__all__ = ["ReportData", "write_comparison_report", "write_report"]
