"""Operations between layers, as `+` and keras.ops make them: each a layer without weights.

    x = scratch.Input((8, 8, 3))
    y = scratch.Conv2D(3, 3, padding="same")(x)
    model = scratch.Model(x, scratch.operations.Relu6Operation()(y + 3.0) * (1 / 6) * y)

Keras's name of an operation is that of the class here without its ending. Unlike layers of the same
name, operations line up axes from the last one on, and take numbers among their operands.
"""

from scratch.operations.activations import (
    ClipOperation,
    EluOperation,
    GeluOperation,
    HardSigmoidOperation,
    HardSiluOperation,
    LeakyReluOperation,
    LogSigmoidOperation,
    LogSoftmaxOperation,
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
from scratch.operations.axes import (
    ExpandDimsOperation,
    MoveaxisOperation,
    SqueezeOperation,
    SwapaxesOperation,
    TransposeOperation,
)
from scratch.operations.choices import (
    CastOperation,
    EqualOperation,
    GreaterEqualOperation,
    GreaterOperation,
    LessEqualOperation,
    LessOperation,
    LogicalAndOperation,
    LogicalNotOperation,
    LogicalOrOperation,
    LogicalXorOperation,
    NotEqualOperation,
    StopGradientOperation,
    WhereOperation,
)
from scratch.operations.extremes import MaxOperation, MinOperation
from scratch.operations.functions import (
    AbsoluteOperation,
    ExpOperation,
    LogOperation,
    PowerOperation,
    RsqrtOperation,
    SqrtOperation,
    SquareOperation,
)
from scratch.operations.images import ResizeOperation
from scratch.operations.items import GetItemOperation
from scratch.operations.moves import (
    FlipOperation,
    PadOperation,
    RepeatOperation,
    RollOperation,
    TileOperation,
)
from scratch.operations.operation import ENDING, Operation, described, is_operation, is_tensor
from scratch.operations.patches import (
    DepthToSpaceOperation,
    ExtractPatchesOperation,
    SpaceToDepthOperation,
)
from scratch.operations.pieces import Piece, SplitOperation, UnstackOperation
from scratch.operations.products import EinsumOperation, MatmulOperation
from scratch.operations.reductions import MeanOperation, SumOperation
from scratch.operations.shapes import ConcatenateOperation, ReshapeOperation, StackOperation
from scratch.operations.spread import NormalizeOperation, NormOperation, StdOperation, VarOperation

OPERATIONS: dict[str, type[Operation]] = {cls.__name__: cls for cls in (
    AddOperation, SubtractOperation, MultiplyOperation, TrueDivideOperation, DivideOperation,
    MaximumOperation, MinimumOperation, NegativeOperation,
    ClipOperation, EluOperation, GeluOperation, HardSigmoidOperation, HardSiluOperation,
    LeakyReluOperation, LogSigmoidOperation, LogSoftmaxOperation, Relu6Operation, ReluOperation,
    SeluOperation, SigmoidOperation, SiluOperation, SoftmaxOperation, SoftplusOperation,
    SoftsignOperation, TanhOperation,
    AbsoluteOperation, ExpOperation, LogOperation, PowerOperation, RsqrtOperation, SqrtOperation,
    SquareOperation,
    MeanOperation, SumOperation,
    MaxOperation, MinOperation,
    NormalizeOperation, NormOperation, StdOperation, VarOperation,
    EinsumOperation, MatmulOperation,
    ConcatenateOperation, ReshapeOperation, StackOperation,
    ExpandDimsOperation, MoveaxisOperation, SqueezeOperation, SwapaxesOperation, TransposeOperation,
    GetItemOperation,
    SplitOperation, UnstackOperation,
    FlipOperation, PadOperation, RepeatOperation, RollOperation, TileOperation,
    DepthToSpaceOperation, ExtractPatchesOperation, SpaceToDepthOperation,
    ResizeOperation,
    GreaterOperation, GreaterEqualOperation, LessOperation, LessEqualOperation, EqualOperation,
    NotEqualOperation, LogicalAndOperation, LogicalOrOperation, LogicalXorOperation,
    LogicalNotOperation, WhereOperation, CastOperation, StopGradientOperation,
)}


def kind_of(entry: dict) -> type[Operation]:
    """The class of an operation by its entry in a config; the base of all for one that is not here.
    """
    return OPERATIONS.get(f"{entry['class_name']}{ENDING}", Operation)


__all__ = ["AbsoluteOperation", "AddOperation", "CastOperation", "ClipOperation",
           "ConcatenateOperation", "DepthToSpaceOperation", "DivideOperation", "EinsumOperation",
           "EluOperation", "EqualOperation", "ExpOperation", "ExpandDimsOperation",
           "ExtractPatchesOperation", "FlipOperation", "GeluOperation", "GetItemOperation",
           "GreaterEqualOperation", "GreaterOperation", "HardSigmoidOperation", "HardSiluOperation",
           "LeakyReluOperation", "LessEqualOperation", "LessOperation", "LogOperation",
           "LogSigmoidOperation", "LogSoftmaxOperation", "LogicalAndOperation",
           "LogicalNotOperation", "LogicalOrOperation", "LogicalXorOperation", "MatmulOperation",
           "MaxOperation", "MaximumOperation", "MeanOperation", "MinOperation", "MinimumOperation",
           "MoveaxisOperation", "MultiplyOperation", "NegativeOperation", "NormOperation",
           "NormalizeOperation", "NotEqualOperation", "OPERATIONS", "Operation", "PadOperation",
           "Piece", "PowerOperation", "Relu6Operation", "ReluOperation", "RepeatOperation",
           "ReshapeOperation", "ResizeOperation", "RollOperation", "RsqrtOperation",
           "SeluOperation", "SigmoidOperation", "SiluOperation", "SoftmaxOperation",
           "SoftplusOperation", "SoftsignOperation", "SpaceToDepthOperation", "SplitOperation",
           "SqrtOperation", "SquareOperation", "SqueezeOperation", "StackOperation", "StdOperation",
           "StopGradientOperation", "SubtractOperation", "SumOperation", "SwapaxesOperation",
           "TanhOperation", "TileOperation", "TransposeOperation", "TrueDivideOperation",
           "UnstackOperation", "VarOperation", "WhereOperation", "described", "is_operation",
           "is_tensor", "kind_of"]
