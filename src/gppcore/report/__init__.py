"""Figures and the self-contained HTML report."""

from __future__ import annotations

from gppcore.report.data import ReportData
from gppcore.report.page import write_report

__all__ = ["ReportData", "write_report"]
