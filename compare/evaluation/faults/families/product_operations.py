"""Faults of operations between layers that take two tensors: products of matrices, einsums, and
arithmetic in which one of them is repeated."""

import numpy as np

from compare.evaluation.faults.families.making import of_operations
from compare.evaluation.faults.injection import input_gradient, output
from compare.evaluation.faults.networks import joined

OUT, FIRST, SECOND = "output", "input_gradient_1", "input_gradient_2"
PRODUCT, LOST, SWAPPED = "product-axes", "copies-not-added", "inputs-swapped"
TWO = {"batch": 3, "operands": [None, None]}
TURNED = ("TransposeOperation", {"axes": [0, 1, 3, 2]})
MEAN = {"axis": [1, 2], "keepdims": True}
MATMUL = joined("MatmulOperation", between=[TURNED], **TWO)  # (6, 5, 4) and (6, 4, 5)
SQUARE = joined("MatmulOperation", channels=5, **TWO)
ONE_FOR_ALL = joined("MatmulOperation", between=[
    TURNED, ("MeanOperation", {"axis": 1, "keepdims": True})], **TWO)  # (6, 5, 4) and (1, 4, 5)
SCORES = joined("EinsumOperation", subscripts="nhqc,nhkc->nhqk", **TWO)
CHOICE = joined("EinsumOperation", subscripts="nhwv,nhvc->nhwc", channels=5, **TWO)
POOLED = {"between": [("MeanOperation", MEAN)], **TWO}  # (6, 5, 4) and (1, 1, 4)
SHIFT, GATE, REST = (joined(f"{kind}Operation", **POOLED)
                     for kind in ("Add", "Multiply", "Subtract"))
POSITIVE = [("SoftplusOperation", {}), ("AddOperation", {"operands": [None, 0.5]})]
SHARE = joined("TrueDivideOperation", between=POSITIVE, **TWO)
LARGER = joined("MaximumOperation", **POOLED)


def turned(a):
    return a.swapaxes(-1, -2)


def product(change):
    """The output is change(a, b)."""
    return output(lambda layer, y, x: change(*x))


def sent(first=None, second=None):
    """The gradients of the tensors are first(dy, a, b) and second(dy, a, b)."""
    def change(layer, dx, dy):
        a, b = read(layer)
        return [given if other is None else other(dy, a, b)
                for given, other in zip(dx, (first, second))]

    return input_gradient(change)


def read(layer):
    """The tensors that an operation keeps for its way back."""
    if hasattr(layer, "_pairs"):
        return layer._pairs[-1]
    return layer._x if hasattr(layer, "_x") else (layer._a, layer._b)


def in_one_place(part):
    """A tensor that is repeated gets the gradient of one place."""
    def change(layer, dx, dy):
        made = np.zeros_like(dx[1])
        made[...] = layer_back(layer, dy)[:, part[0]:part[0] + 1, part[1]:part[1] + 1]
        return [dx[0], made]

    return input_gradient(change)


def layer_back(layer, dy):
    """The second tensor's gradient before it is added up."""
    name = type(layer).__mro__[1].__name__
    if name.startswith("Multiply"):
        return dy * read(layer)[0]
    return -dy if name.startswith("Subtract") else dy


def first_matrix(layer, dx, dy):
    a, _ = read(layer)
    return [dx[0], (turned(a) @ dy)[:, :1]]


TABLE = [
    ("Matmul", "turned", "the product is transposed", MATMUL, OUT, "axes-permuted",
     output(lambda layer, y, x: turned(y)), (PRODUCT,)),
    ("Matmul", "second-turned", "multiplies by the second matrix's transpose", SQUARE, OUT, PRODUCT,
     product(lambda a, b: a @ turned(b))),
    ("Matmul", "first-turned", "multiplies the first matrix's transpose", SQUARE, OUT, PRODUCT,
     product(lambda a, b: turned(a) @ b)),
    ("Matmul", "other-order", "multiplies the second matrix by the first", SQUARE, OUT, SWAPPED,
     product(lambda a, b: b @ a), (PRODUCT,)),
    ("Matmul", "elementwise", "multiplies number by number", SQUARE, OUT, "merge-other",
     product(lambda a, b: a * b)),
    ("Matmul", "sqrt", "the product is divided by the root of the length", MATMUL, OUT, "scale",
     output(lambda layer, y, x: y / 2)),
    ("Matmul", "dx-second", "the first gradient lacks a transpose", SQUARE, FIRST, PRODUCT,
     sent(lambda dy, a, b: dy @ b)),
    ("Matmul", "dx-first", "the second gradient lacks a transpose", SQUARE, SECOND, PRODUCT,
     sent(None, lambda dy, a, b: a @ dy)),
    ("Matmul", "dx-order", "the second gradient's factors stand the other way round", SQUARE,
     SECOND, PRODUCT, sent(None, lambda dy, a, b: dy @ turned(a))),
    ("Matmul", "dx-turned", "the second gradient is transposed", SQUARE, SECOND, "axes-permuted",
     sent(None, lambda dy, a, b: turned(dy) @ a), (PRODUCT,)),
    ("Matmul", "dx-swapped", "each matrix gets the other one's gradient", SQUARE, FIRST, SWAPPED,
     input_gradient(lambda layer, dx, dy: dx[::-1])),
    ("Matmul", "dx-second-lost", "the second matrix gets no gradient", MATMUL, SECOND,
     "gradient-missing", input_gradient(lambda layer, dx, dy: [dx[0], 0 * dx[1]])),
    ("Matmul", "dx-one-place", "a matrix that is used for all gets the gradient of the first use",
     ONE_FOR_ALL, SECOND, LOST, input_gradient(first_matrix)),
    ("Matmul", "dx-mean", "a matrix that is used for all gets the mean of the gradients",
     ONE_FOR_ALL, SECOND, "scale", input_gradient(lambda layer, dx, dy: [dx[0], dx[1] / 6]),
     (LOST,)),
    ("Einsum", "turned", "queries and keys are exchanged in the output", SCORES, OUT,
     "axes-permuted", output(lambda layer, y, x: turned(y)), (PRODUCT, SWAPPED)),
    ("Einsum", "other-sample", "keys are those of the sample before", SCORES, OUT, "batch-mixed",
     product(lambda a, b: np.einsum("nhqc,nhkc->nhqk", a, np.roll(b, 1, 0))), (PRODUCT,)),
    ("Einsum", "all-rows", "keys are summed over all rows", SCORES, OUT, PRODUCT,
     product(lambda a, b: np.einsum("nhqc,ngkc->nhqk", a, b))),
    ("Einsum", "second-turned", "the second tensor's axes are exchanged", CHOICE, OUT, PRODUCT,
     product(lambda a, b: np.einsum("nhwv,nhcv->nhwc", a, b))),
    ("Einsum", "first-turned", "the first tensor's axes are exchanged", CHOICE, OUT, PRODUCT,
     product(lambda a, b: np.einsum("nhvw,nhvc->nhwc", a, b))),
    ("Einsum", "dx-second", "the first gradient takes the second tensor's axes the other way",
     CHOICE, FIRST, PRODUCT, sent(lambda dy, a, b: np.einsum("nhwc,nhcv->nhwv", dy, b))),
    ("Einsum", "dx-first", "the second gradient takes the first tensor's axes the other way",
     CHOICE, SECOND, PRODUCT, sent(None, lambda dy, a, b: np.einsum("nhwc,nhvw->nhvc", dy, a))),
    ("Einsum", "dx-queries-for-keys", "the gradient's axes are exchanged", SCORES, FIRST, PRODUCT,
     sent(lambda dy, a, b: turned(dy) @ b)),
    ("Einsum", "dx-swapped", "each tensor gets the other one's gradient", SCORES, FIRST, SWAPPED,
     input_gradient(lambda layer, dx, dy: dx[::-1])),
    ("Add", "repeated-dx-one-place", "the repeated tensor gets the gradient of the first place",
     SHIFT, SECOND, LOST, in_one_place((0, 0))),
    ("Add", "repeated-dx-last-place", "the repeated tensor gets the gradient of the last place",
     SHIFT, SECOND, LOST, in_one_place((5, 4))),
    ("Add", "repeated-dx-mean", "the repeated tensor gets the mean of the gradients", SHIFT, SECOND,
     "scale", input_gradient(lambda layer, dx, dy: [dx[0], dx[1] / 30]), (LOST,)),
    ("Add", "repeated-dx-one-axis", "gradients are added up along the rows alone", SHIFT, SECOND,
     LOST, input_gradient(lambda layer, dx, dy: [dx[0], dy.sum(1, keepdims=True)[:, :, :1]])),
    ("Multiply", "repeated-dx-one-place", "the gate gets the gradient of the first place", GATE,
     SECOND, LOST, in_one_place((0, 0))),
    ("Multiply", "repeated-dx-without-x", "the gate's gradient is not multiplied by the image",
     GATE, SECOND, "merge-other", input_gradient(lambda layer, dx, dy: [
         dx[0], dy.sum((1, 2), keepdims=True)])),
    ("Multiply", "repeated-dx-sums-first", "sums of the gradient are multiplied by sums of the "
     "image", GATE, SECOND, LOST, input_gradient(lambda layer, dx, dy: [
         dx[0], dy.sum((1, 2), keepdims=True) * read(layer)[0].sum((1, 2), keepdims=True)])),
    ("Multiply", "dx-without-gate", "the image's gradient is not multiplied by the gate", GATE,
     FIRST, "merge-other", input_gradient(lambda layer, dx, dy: [dy, dx[1]])),
    ("Subtract", "repeated-dx-sign", "the gradient of what is taken off is not negated", REST,
     SECOND, "sign", input_gradient(lambda layer, dx, dy: [dx[0], -dx[1]])),
    ("Maximum", "repeated-dx-everywhere", "the threshold gets the gradient of all places", LARGER,
     SECOND, "merge-other", input_gradient(lambda layer, dx, dy: [
         dx[0], dy.sum((1, 2), keepdims=True)]), ("mask-missing",)),
    ("TrueDivide", "other-way", "divides the second by the first", SHARE, OUT, SWAPPED,
     product(lambda a, b: b / a)),
    ("TrueDivide", "product", "multiplies in place of dividing", SHARE, OUT, "merge-other",
     product(lambda a, b: a * b)),
    ("TrueDivide", "dx-product", "the first gradient is multiplied, not divided", SHARE, FIRST,
     "merge-other", sent(lambda dy, a, b: dy * b)),
    ("TrueDivide", "dx-second-sign", "the divisor's gradient is not negated", SHARE, SECOND, "sign",
     input_gradient(lambda layer, dx, dy: [dx[0], -dx[1]]), (SWAPPED,)),
    ("TrueDivide", "dx-second-once", "the divisor's gradient is divided once, not twice", SHARE,
     SECOND, "merge-other", sent(None, lambda dy, a, b: -dy * a / b)),
]


def faults():
    """All of them."""
    return of_operations(TABLE)
