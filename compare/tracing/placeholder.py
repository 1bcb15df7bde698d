"""A trace in place of one that a candidate could not finish, because one of its layers failed.

Every layer is run by itself on the reference's numbers anyway. So the reference's own lend the
candidate's trace their shapes, and all layers but the one that fails are still checked; how far the
freely running networks differ is not known then, and no row says so.
"""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from compare.tracing.configs import compile_config, plain
from compare.tracing.layer_error import LayerError
from compare.tracing.ops import ops_of
from compare.tracing.recorder import record
from compare.tracing.trace import Trace
from compare.tracing.types import Network


def recorded(model: Network, reference: Trace, x: ArrayLike, y: ArrayLike | None = None,
             **given: Any) -> tuple[Trace, bool]:
    """(the candidate's trace, whether it is its own).

    Args:
        model: the candidate, a scratch model.
        reference: the trace of the network it is held against.
        x, y, given: as for `record`.

    Raises:
        LayerError: if a layer fails and the two have different layers.
    """
    try:
        return record(model, x, y, **given), True
    except LayerError:
        ops = ops_of(model)
        alike = [(op.class_name, op.part) for op in ops] == \
            [(part.class_name, part.part) for part in reference.parts]
        if not alike:
            raise
    parts = [replace(part, layer=op.name,
                     weights={name: np.array(w) for name, w in op.weights.items()})
             for part, op in zip(reference.parts, ops)]
    return replace(reference, producer=f"scratch on numpy {np.__version__}",
                   dtype=model.dtype.name, config=plain(model.get_config()),
                   compile_config=plain(compile_config(model)) if reference.compile_config else {},
                   parts=parts, sources=[op.sources for op in ops]), False
