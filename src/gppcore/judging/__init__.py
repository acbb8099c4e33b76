"""How well predictions agree with towers: skill, intervals, learning curves, importance, and their files."""
