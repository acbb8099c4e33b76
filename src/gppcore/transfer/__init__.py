"""Transfer learning: pre-training on the process model, fine-tuning on towers, and the resulting models."""
