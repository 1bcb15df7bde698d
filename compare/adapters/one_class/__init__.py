"""A whole network in one class of somebody's own, run as its owner runs it.

    compare.check(compare.wrap(MyNetwork()), keras_model, x, y)
"""

from compare.adapters.one_class.network import OneClass, Run
from compare.adapters.one_class.parameters import Parameter

__all__ = ["OneClass", "Parameter", "Run"]
