"""Runs in a browser while they go on: a server for this machine alone, which only reads."""
