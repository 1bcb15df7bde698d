"""Everything a Keras model computes on one batch at inference: each layer's output, no gradients.
"""

import numpy as np

from reference.carried_states import from_zeros
from reference.model import model_dtype
from reference.observe import Observation, Part
from reference.ops import array, held, ops_of, output_ops
from reference.quiet import precision, tf
from reference.structures import each


def observe_inference(model, x, whole=frozenset()) -> Observation:
    """Run one batch forward outside of training, without changing the model.

    Args:
        model: a built `keras.Sequential`, or a functional model.
        x: a batch of inputs, a tuple of them where there are several.
        whole: positions of layers that are to stay together with their activation.

    Raises:
        ValueError: for a model that is no graph of layers.
    """
    dtype = model_dtype(model)
    ops = ops_of(model, whole)
    parts: list[Part] = []
    with precision(dtype), from_zeros([op.layer for op in ops]):
        given = [tf.constant(np.asarray(array, dtype)) for array in each(x)]
        outputs: list = []
        for op in ops:
            read = op.inputs_of([outputs[i] if i >= 0 else given[-1 - i] for i in op.sources])
            outputs.append(op.run(read, training=False, gradients=False))
            inputs = tuple(array(value) for value in read)
            parts.append(Part(op.name, op.part, op.class_name, inputs if op.merges else inputs[0],
                              array(outputs[-1]),
                              weights={op.names[id(v)]: held(np.array(v.numpy()))
                                       for v in op.variables},
                              tied_to=op.tied_to))
    return Observation(parts, [op.sources for op in ops], None, ends=output_ops(model, ops))
