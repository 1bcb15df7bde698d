"""Where the first NaN or infinity of a trace arose, and from which operation."""

import numpy as np

from compare.tracing.trace import Part, Trace

PRODUCTS, MAXIMA, MEANS, MOVED = ("sums of products of input and kernel", "maxima of windows",
                                  "means of windows", "a change of place or shape")
EXPONENTIALS, NORMALIZED = "exp, a sum and a division", "differences from a mean over a deviation"
OPERATIONS = {
    **dict.fromkeys(("Conv1D", "Conv2D", "DepthwiseConv2D", "SeparableConv2D", "Conv2DTranspose",
                     "Dense"), PRODUCTS),
    **dict.fromkeys(("MaxPooling1D", "MaxPooling2D", "GlobalMaxPooling1D", "GlobalMaxPooling2D"),
                    MAXIMA),
    **dict.fromkeys(("AveragePooling1D", "AveragePooling2D", "GlobalAveragePooling1D",
                     "GlobalAveragePooling2D"), MEANS),
    **dict.fromkeys(("Flatten", "Reshape", "Permute", "ZeroPadding1D", "ZeroPadding2D",
                     "Cropping1D", "Cropping2D", "UpSampling1D", "UpSampling2D", "Concatenate"),
                    MOVED),
    **dict.fromkeys(("BatchNormalization", "LayerNormalization"), NORMALIZED),
    **dict.fromkeys(("Softmax", "softmax"), EXPONENTIALS),
    **dict.fromkeys(("ReLU", "relu"), "max(x, 0)"),
    "Dropout": "a product with noise", "GaussianNoise": "a sum with noise", "Add": "a sum",
    "Multiply": "a product", "exponential": "exp",
}


def first_nonfinite(trace: Trace) -> str:
    """A sentence on the first value that is not finite, in the order of computation; '' if none."""
    for part in trace.parts:
        for name, weight in part.weights.items():
            if not np.isfinite(weight).all():
                return f"{_place(part, name, weight)}, a weight."
        if not np.isfinite(part.output).all():
            return _sentence(part, "output", part.output, part.inputs)
    if trace.loss is not None and not np.isfinite(trace.loss):
        return f"loss is {trace.loss}, from finite outputs: {_loss(trace)}."
    for part in reversed(trace.parts):
        for name, array in part.results.items():
            if name != "output" and not np.isfinite(array).all():
                return _sentence(part, name, array, [part.output_gradient])
    return ""


def _loss(trace: Trace) -> str:
    loss = trace.compile_config.get("loss")
    name = str(loss["class_name"] if isinstance(loss, dict) else loss)
    if "entropy" in name.lower():
        return "exp and log of the cross-entropy"
    return f"the arithmetic of {name}"


def _sentence(part: Part, tensor: str, array, sources) -> str:
    finite = all(source is None or np.isfinite(source).all() for source in sources)
    origin = "finite" if finite else "non-finite"
    operation = OPERATIONS.get(part.part) or OPERATIONS.get(part.class_name, part.class_name)
    return f"{_place(part, tensor, array)}, from {origin} numbers: {operation}."


def _place(part: Part, tensor: str, array) -> str:
    index = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
    return f"{part.name} {tensor} at {list(index)} is {array[index]}"
