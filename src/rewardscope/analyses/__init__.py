"""What looks closer at a finished run, an arm, or checkpoints that anything trained."""
