"""A house that is played turn by turn: its rules, and in characters."""
