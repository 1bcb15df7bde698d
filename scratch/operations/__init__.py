"""Operations between layers, as `+` and keras.ops make them: each a layer without weights.

    x = scratch.Input((8, 8, 3))
    y = scratch.Conv2D(3, 3, padding="same")(x)
    model = scratch.Model(x, scratch.operations.Relu6Operation()(y + 3.0) * (1 / 6) * y)

Keras's name of an operation is that of the class here without its ending. Unlike layers of the same
name, operations line up axes from the last one on, and take numbers among their operands.
"""

from scratch.operations.activations import (
    ClipOperation,
    HardSigmoidOperation,
    HardSiluOperation,
    Relu6Operation,
    ReluOperation,
    SeluOperation,
    SigmoidOperation,
    SiluOperation,
    SoftmaxOperation,
    SoftplusOperation,
    SoftsignOperation,
    TanhOperation,
)
from scratch.operations.arithmetic import (
    AddOperation,
    DivideOperation,
    MaximumOperation,
    MinimumOperation,
    MultiplyOperation,
    NegativeOperation,
    SubtractOperation,
    TrueDivideOperation,
)
from scratch.operations.operation import Operation, described, is_operation
from scratch.operations.reductions import MeanOperation, SumOperation
from scratch.operations.shapes import ConcatenateOperation, ReshapeOperation

OPERATIONS: dict[str, type[Operation]] = {cls.__name__: cls for cls in (
    AddOperation, SubtractOperation, MultiplyOperation, TrueDivideOperation, DivideOperation,
    MaximumOperation, MinimumOperation, NegativeOperation,
    ReluOperation, Relu6Operation, SeluOperation, SigmoidOperation, TanhOperation, SiluOperation,
    HardSigmoidOperation, HardSiluOperation, SoftplusOperation, SoftsignOperation,
    SoftmaxOperation, ClipOperation,
    MeanOperation, SumOperation, ReshapeOperation, ConcatenateOperation,
)}

__all__ = ["OPERATIONS", "Operation", "described", "is_operation",
           "AddOperation", "ClipOperation", "ConcatenateOperation", "DivideOperation",
           "HardSigmoidOperation", "HardSiluOperation", "MaximumOperation", "MeanOperation",
           "MinimumOperation", "MultiplyOperation", "NegativeOperation", "Relu6Operation",
           "ReluOperation", "ReshapeOperation", "SeluOperation", "SigmoidOperation",
           "SiluOperation", "SoftmaxOperation", "SoftplusOperation", "SoftsignOperation",
           "SubtractOperation", "SumOperation", "TanhOperation", "TrueDivideOperation"]
