"""From rows to verdicts: claims, and what a policy reaches within k draws. Works without torch."""
