"""Rewards to per-token streams; pure tensor functions."""
