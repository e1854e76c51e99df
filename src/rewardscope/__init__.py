"""A placebo-controlled laboratory for reward learning."""
