"""The process model over datasets: hourly, daily or monthly forcing in, GPP out (the source domain)."""

from gppcore.process.simulate.run import simulate

__all__ = ["simulate"]
