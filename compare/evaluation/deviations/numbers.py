"""Where both sides compute something and the numbers differ by more than rounding."""

from compare.evaluation.deviations.difference import Difference

FINITE = "`parity check` refuses batches that hold a NaN or an infinity."

AVERAGE_BEYOND_IMAGE = Difference(
    "average_pooling_beyond_image",
    where="AveragePooling with padding 'same' and a pool larger than the image",
    keras="passes back a gradient that is not the output's derivative: TensorFlow's own "
          "CPU kernel divides by too many pixels",
    ours="passes back the derivative",
    why="Keras's own forward pass, which is linear, shows which of the two is right.",
    checks="Never drawn by `parity fuzz`. `parity check` finds the reference off.",
    known_by=("compare/evaluation/fuzzing/layer_grammar.py",), onednn=False,
    concerns=("AveragePooling1D.pool_size", "AveragePooling2D.pool_size",
              "AveragePooling3D.pool_size"))

MAXIMUM_BEYOND_VOLUME = Difference(
    "max_pooling_beyond_volume",
    where="ties in MaxPooling3D with padding 'same' and a pool larger than the volume",
    keras="passes the gradient back to only some of the numbers that tie: TensorFlow's CPU kernel "
          "does not look at all of a window that reaches beyond both ends",
    ours="passes it back to every number that ties, as everywhere in volumes",
    why="What ties does not depend on where the volume ends.",
    checks="Never drawn by `parity fuzz`. `parity check` finds the reference off.",
    known_by=("compare/evaluation/fuzzing/layer_grammar.py",),
    concerns=("MaxPooling3D.pool_size",))

NEARLY_MAXIMA = Difference(
    "max_pooling_near_ties",
    where="numbers less than 1e-5 below the maximum of a window in MaxPooling3D and "
          "AdaptiveMaxPooling3D",
    keras="passes the gradient back to them, too: TensorFlow's CPU kernel takes them for the "
          "maximum",
    ours="passes it back to the maximum, and to what is equal to it",
    why="The gradient of a maximum is that of the largest number alone.",
    checks="The bound of the gradient allows for both.",
    known_by=("compare/oracle/layers/pooling.py", "compare/oracle/layers/adaptive_pooling.py"),
    concerns=("MaxPooling3D.pool_size", "AdaptiveMaxPooling3D.output_size"))

BIAS_ALONG_WIDTH = Difference(
    "bias_along_width",
    where="channels_first convolutions with a bias, whose output's last axis is as long as it has "
          "channels; EinsumDense with a bias along an inner axis, where the last axis or the first "
          "one behind the batch is as long; MultiHeadAttention and GroupQueryAttention with a bias "
          "and heads of one number, of which there are as many as steps; a + b of tensors, where b "
          "is one number a sample, and the last axis of a or its first one behind the batch is as "
          "long as the batch",
    keras="adds it along that other axis: its addition takes it for a bias of channels",
    ours="adds it along its own axis",
    why="It is what the layer's definition says, and what Keras does for every other size.",
    checks="Never drawn by `parity fuzz`. `parity check` says that the reference is off.",
    known_by=("compare/evaluation/fuzzing/layer_grammar.py",
              "compare/evaluation/fuzzing/changing_shapes.py", "compare/checks/extremes.py"),
    concerns=("Add", "Conv2D.data_format", "Conv1D.data_format", "Conv2DTranspose.data_format",
              "DepthwiseConv2D.data_format", "SeparableConv2D.data_format",
              "Conv3D.data_format", "Conv1DTranspose.data_format", "Conv3DTranspose.data_format",
              "DepthwiseConv1D.data_format", "SeparableConv1D.data_format",
              "EinsumDense.bias_axes", "MultiHeadAttention.key_dim",
              "MultiHeadAttention.value_dim", "GroupedQueryAttention.head_dim"))

NAN_IN_MAXIMA = Difference(
    "nan_in_max_pooling",
    where="a NaN in a window of MaxPooling1D, MaxPooling2D or MaxPooling3D",
    keras="ignores it: the maximum is that of the other numbers",
    ours="the window's maximum is NaN",
    why="A NaN is a mistake upstream, and a layer that hides it makes the mistake hard to find. "
        "Keras's global max pooling propagates it, too.",
    checks=FINITE, concerns=("MaxPooling1D", "MaxPooling2D", "MaxPooling3D"))

NAN_IN_ACTIVATIONS = Difference(
    "nan_in_activations",
    where="NaN into elu, celu, hard_shrink, soft_shrink and sparse_sigmoid, an infinity into "
          "sparse_plus",
    keras="hard_shrink and soft_shrink make 0 of NaN; elu passes back 1 there, celu 0 and "
          "sparse_sigmoid 0.5; sparse_plus passes back NaN at either infinity",
    ours="NaN gives NaN; elu and celu pass back NaN there, sparse_sigmoid 0; sparse_plus passes "
         "back its slope, 0 or 1",
    why="A hidden NaN is a mistake that is hard to find, and one that was made up is another. Both "
        "come from how TensorFlow puts the functions together, not from what they are.",
    checks=FINITE, concerns=("elu", "celu", "hard_shrink", "soft_shrink", "sparse_sigmoid",
                             "sparse_plus"))

NAN_IN_SOFTMAX = Difference(
    "nan_in_softmax",
    where="a NaN or a positive infinity among the logits of a softmax",
    keras="makes NaN of that one, and 0 of all other probabilities",
    ours="every probability is NaN",
    why="It is what exp(z) / sum exp(z) gives, and a 0 that was made up hides the mistake.",
    checks=FINITE, onednn=True, concerns=("softmax", "Softmax"))

NAN_IN_GENERALIZED_CROSS_ENTROPY = Difference(
    "nan_in_generalized_cross_entropy",
    where="a probability of 0 for a sample's label in CategoricalGeneralizedCrossEntropy",
    keras="passes back NaN to the other classes: it multiplies the gradient, which is infinite, by "
          "a row of zeros and a one",
    ours="passes back 0 to them",
    why="The loss depends on the label's probability alone: its derivative in any other is 0.",
    checks="`parity check` finds the reference off. `parity fuzz` says that it was not judged, for "
           "behind the softmax all is NaN on both sides.",
    concerns=("losses.CategoricalGeneralizedCrossEntropy.q",))

SELU_NEAR_ZERO = Difference(
    "selu_near_zero",
    where="selu's gradient at negative inputs so small that exp(x) rounds to 1",
    keras="the slope on the right, 1.0507: TensorFlow decides by the result, exp(x) - 1, which is "
          "0",
    ours="the slope on the left, 1.7581",
    why="The input is negative. In float32 this concerns numbers above -3e-8.",
    checks="The oracle's bound reaches from one slope to the other there, so that both pass.",
    concerns=("selu",))

SQUAREPLUS_OF_LARGE = Difference(
    "squareplus_of_large_numbers",
    where="squareplus of numbers whose square overflows, beyond 1.8e19 in float32",
    keras="infinity, of negative numbers too; the slope is 0.5, or NaN where x + infinity is",
    ours="the number itself or 0, with the slope 1 or 0",
    why="It is what (x + sqrt(x^2 + 4)) / 2 is; hypot(x, 2) does not overflow.",
    checks="`parity check` finds the reference off.", concerns=("squareplus",))

DENORMALS = Difference(
    "denormal_numbers",
    where="inputs, weights and results below the smallest normal number, 1.2e-38 in float32",
    keras="0: TensorFlow's kernels flush such numbers to zero, so that the slope of |w| is 0 there "
          "and the largest of several may be any",
    ours="the denormal number",
    why="NumPy computes with them, at no cost of ours.",
    checks="The oracle's bounds allow both: what is smaller than the smallest normal number may "
           "be lost, any of several be taken for the largest, and their signs for 0.")

FLOAT64_LOSS = Difference(
    "float64_loss",
    where="a float64 model that Keras compiles while its default precision is float32",
    keras="the loss's value is rounded to float32, and so are the outputs that it reads unless the "
          "loss has dtype='float64'; the learning rate is rounded to float32",
    ours="the loss is computed in the outputs' precision, and the learning rate kept in it",
    why="A model has one precision. With keras.config.set_floatx('float64') Keras agrees.",
    checks="The twins that the checks make are compiled in their own precision. Of a model that "
           "comes compiled otherwise `parity check` judges the loss in float64, on a copy, and "
           "says so; its learning rate is found to differ.")

METRIC_SUMS = Difference(
    "sums_in_metrics",
    where="metrics over many samples",
    keras="adds up in float32: after 16,777,216 samples a count stays where it is",
    ours="adds up in float64",
    why="A metric is a figure for people; nothing else is computed from it.",
    checks="Accuracies are held against a count of right answers in the batch of the check; other "
           "metrics are not compared, and a note says so.")

HELD_IN_FLOAT32 = Difference(
    "low_precision_in_float32_arrays",
    where="weights, predictions and gradients of float16 and bfloat16",
    keras="gives arrays of float16, or of ml_dtypes' bfloat16",
    ours="gives arrays of float32 that hold the same numbers",
    why="NumPy has no bfloat16, and multiplies matrices of float16 without BLAS; float32 holds "
        "every number of either exactly.",
    checks="The numbers are compared, not the arrays' dtypes.",
    concerns=("every layer.dtype",))

ENTRIES = (AVERAGE_BEYOND_IMAGE, MAXIMUM_BEYOND_VOLUME, NEARLY_MAXIMA, BIAS_ALONG_WIDTH,
           NAN_IN_MAXIMA, NAN_IN_ACTIVATIONS, NAN_IN_SOFTMAX, NAN_IN_GENERALIZED_CROSS_ENTROPY,
           SELU_NEAR_ZERO, SQUAREPLUS_OF_LARGE, DENORMALS, FLOAT64_LOSS, METRIC_SUMS,
           HELD_IN_FLOAT32)
