"""The process model over datasets: hourly, daily or monthly forcing in, GPP out (the source domain)."""

from gppcore.simulate.run import simulate

__all__ = ["simulate"]
