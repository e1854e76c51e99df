"""Data sets: how rows are read, and how a row becomes a prompt."""
