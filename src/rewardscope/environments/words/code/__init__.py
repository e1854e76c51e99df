"""Small Python functions, graded by tests that a model never sees; what a model writes runs in a
sandbox and nowhere else.
"""
