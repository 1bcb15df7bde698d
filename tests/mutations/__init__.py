"""Do the tests notice if the code changes? `python -m tests.mutations` tries.

Each entry of `catalogue.py` is a small change to what judges, to the bounds, to the diagnosis or to
the network, and the tests that should fail for it. See `trying.py` for how it is tried.
"""
