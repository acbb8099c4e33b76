"""The embedded world and the demonstration run."""
