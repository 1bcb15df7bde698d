"""The section on precisions: which layers and activations compute in float16 and bfloat16."""

from compare.evaluation.support_matrix.markdown import names, table
from compare.oracle.running_error import Rounding
from scratch.activations import LOW_PRECISION
from scratch.layers import LAYERS
from scratch.operations import OPERATIONS
from scratch.precision import LOW, NAMES

BITS = {"float64": 53, "float32": 24, "float16": 11, "bfloat16": 8}


def section() -> str:
    """As Markdown; layers and activations by what their classes say of themselves."""
    taken = [name for name, cls in LAYERS.items() if cls.takes_low_precision]
    refused = [name.removesuffix("Operation") for name, cls in OPERATIONS.items()
               if not cls.takes_low_precision]
    rows = [[f"`{name}`", f"2^-{bits}", f"{Rounding.of(name).largest:.4g}"]
            for name, bits in BITS.items()]
    return "\n".join([
        "## Precisions\n",
        f"By `dtype` of a layer or a model, `scratch.precision.set_dtype_policy`, a file, or "
        f"`--dtype`: {names(NAMES)}. Layers of several may stand in one network, but for float64. "
        "A layer casts what it reads and its weights where Keras casts; batch, layer, group and "
        "root-mean-square normalization compute in float32, and an embedding casts neither classes "
        "nor its table. Numbers of float16 and bfloat16 are held in float32 arrays that are "
        "rounded to them. A cross-entropy behind a softmax of low precision reads probabilities, "
        "for Keras casts its output, which so loses its logits.\n",
        f"In {' and '.join(LOW)}, mixed or not, these layers compute: {names(taken)}. Inside them "
        f"these activations: {names(LOW_PRECISION)}. Every other layer and activation refuses a "
        "low precision by name and may stand beside them in float32; so are refused 'ReLU' at "
        "limits that the precision does not hold, interpolation that is neither nearest nor "
        "bilinear, an attention's query that sees no key, regularizers, constraints and every "
        "optimizer but plain SGD for weights that are kept in float16 or bfloat16, activity "
        "regularizers on outputs of low precision or with a scaled loss, and layer and group "
        "normalization that read another precision than their own, which Keras does not cast.\n",
        "An operation between layers casts nothing: it computes in the low precision of all that "
        "it reads, or, where that is of several, in float32. All do but "
        f"{names(refused)}, which square numbers on the way: these overflow in float16.\n",
        "Keras's config of a spatial dropout says float32 of one that is of a mixed precision. "
        "That of a live model is read from the layer; a file has lost it.\n",
        "A model of `mixed_float16` scales its loss when it is compiled, as Keras has it "
        "(`LossScaleOptimizer`; `auto_scale_loss=False` for none), and any optimizer takes "
        "`loss_scale_factor`. Where a gradient overflows at the first scale, Keras makes no step "
        "and halves it; a check is then made at the scale that training comes to.\n",
        table(["precision", "unit roundoff u of its bounds", "largest number"], rows),
        "A bound takes u for every operation in that precision, also for sums, which some of "
        "TensorFlow's kernels add up in it and others in float32: in any order, with or without "
        "fused multiply-adds, it holds for both. Products of matrices and the output of a "
        "convolution of two axes are always added up in float32 (measured, up to 17,500 terms), so "
        "their bounds are those of float32 and of three roundings of the result: "
        "`compare/oracle/low_precision.py` has the measurements. Where n u is 1 or more, "
        "(1 - u)^-n - 1 takes the place of n u / (1 - n u); a whole network's bound then soon says "
        "nothing, and its row that it is not judged.\n"])
