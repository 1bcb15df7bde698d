"""The gates: what a check asks of two networks, in the order in which it is asked.

A `Gate` is also its name, a string: row.gate == "forward".
"""

from enum import StrEnum


class Gate(StrEnum):
    """One question; a verdict names the first gate that fails.

    Attributes:
        sentence: what it judges, in plain words.
        single_layer: whether it runs single layers, so that what fails is that layer's own doing.
        whole: whether it runs whole networks, whose rows show every layer's mistakes.
    """

    sentence: str
    single_layer: bool
    whole: bool

    NETWORK = ("network", "Both networks have the same layers, settings, batch, loss and "
               "optimizer.")
    WEIGHTS = ("weights", "Both hold the same weights, bit for bit.")
    WHOLE_NUMBERS = ("whole numbers", "On whole numbers, of which nothing is rounded, each layer "
                     "gives exactly what it should.", "layer")
    FEW_TERMS = ("few terms", "On numbers of which few meet in any sum, each layer is within its "
                 "narrowest bound.", "layer")
    FORWARD = ("forward", "On the reference's own input, each layer's output is what it should be.",
               "layer")
    LOSS = ("loss", "The loss and its gradient are what they should be, given the reference's "
            "output.")
    BACKWARD = ("backward", "Given the gradient of the reference's output, each layer's gradients "
                "are what they should be.", "layer")
    UPDATE = ("update", "A step of the optimizer, the first one on the reference's gradients or a "
              "later one, makes of the weights what it should.")
    INFERENCE = ("inference", "On the reference's own input, each layer's output outside of "
                 "training is what it should be.", "layer")
    EXTREMES = ("extremes", "On numbers at the ends of their range, at kinks and at ties, each "
                "layer, the loss and each penalty is what it should be; and no result is "
                "overwritten by the next call.", "layer")
    WHOLE_NETWORK = ("whole network", "The candidate, running freely, hands on between its layers "
                     "what it should, and no more than rounding adds up; predict and evaluate "
                     "give what its layers do.", "whole")
    LOCKSTEP = ("lockstep", "Trained side by side on some batches, each step leads both to where "
                "it should, as far as rounding lets it.", "whole")

    def __new__(cls, name: str, sentence: str, scope: str = "") -> "Gate":
        gate = str.__new__(cls, name)
        gate._value_ = name
        gate.sentence = sentence
        gate.single_layer = scope == "layer"
        gate.whole = scope == "whole"
        return gate

    @property
    def order(self) -> int:
        """Its place among the gates, from 0."""
        return list(Gate).index(self)

    __repr__ = str.__repr__  # the name, as __str__ gives it
