"""Losses that compare completions as wholes: better with worse, or each with a fixed point."""
