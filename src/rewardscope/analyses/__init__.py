"""Closer looks at a finished run, an arm, or checkpoints from any training."""
