"""Clinical calculation from case notes in words: for research on learning, not for care."""
