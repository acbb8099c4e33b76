"""The command gppcore."""
