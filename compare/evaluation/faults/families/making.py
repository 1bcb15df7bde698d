"""A fault of one layer written in one line, as the families' tables have them."""

from compare.evaluation.faults.fault import LOSS, OPTIMIZER, TRAINING, Fault, Place

PHASES = {"output": "forward", "input_gradient": "input gradient"}
OF_MODELS = {LOSS: "loss", OPTIMIZER: "optimizer"}  # the attribute that holds them


def single(family, identifier, sentence, network, layer, tensor, cause, inject, also=(),
           phase=None, **settings) -> Fault:
    """One fault in one place.

    Args:
        inject: a function of the layer, the loss, the optimizer or, in training, the model.
        phase: what the tensor's name does not tell.
        settings: other fields of `Fault`.
    """
    if phase is None:
        phase = PHASES.get(tensor.split("_gradient_")[0].rstrip("_0123456789"),
                           "weight gradient" if tensor.endswith("_gradient") else "forward")
    place = Place(layer, tensor, cause, tuple(also))
    return Fault(identifier, family, sentence, phase, (place,), network, at(layer, inject),
                 **settings)


def at(layer: str, inject):
    """The injection of a model, given that of one of its layers, or of its loss or optimizer."""
    def into(model):
        if layer == TRAINING:
            inject(model)
        elif layer in OF_MODELS:
            inject(getattr(model, OF_MODELS[layer]))
        else:
            inject(model.get_layer(layer))

    return into
