"""Mistakes of a training loop: which batch a step sees, which gradients, how often it is made.

`selection` has them in the order in which they are to be named; a `Plan` is one of them.
"""
