"""The process model: two-leaf photosynthesis, its specification, and what turns climate into its input."""
