"""Faults of the reference: a Keras layer, loss or optimizer that computes something else.

The candidate is right; the verdict has to say that Keras is the one that is off.
"""

from compare.evaluation.faults.fault import LOSS, OPTIMIZER, UNKNOWN, Fault, Place
from compare.evaluation.faults.networks import around

OUT, DX, DK, DB = "output", "input_gradient", "kernel_gradient", "bias_gradient"
CONV = around("Conv2D", filters=3, kernel_size=(3, 2), padding="same")
SQUARE = around("Dense", units=5)
DENSE = around("Dense", units=3)
POOL = around("MaxPooling2D", pool_size=(2, 3), strides=(2, 2))
RELU = around("ReLU")
SOFTMAX = around("Softmax")
NORM = around("BatchNormalization", momentum=0.9)
LAYER_NORM = around("LayerNormalization")
FLATTEN = around("Flatten")
AVERAGE = around("GlobalAveragePooling2D")


def calling(call):
    """The layer's call becomes call(tf, layer, right, x)."""
    def inject(layer):
        import tensorflow as tf

        right = layer.call

        def changed(x, *given, **named):
            return call(tf, layer, lambda z: right(z, *given, **named), x)

        layer.call = changed

    return inject


def output(change):
    return calling(lambda tf, layer, right, x: change(tf, right(x), x))


def rounded_to(name: str):
    """The output in a lower precision."""
    return output(lambda tf, y, x: tf.cast(tf.cast(y, name), y.dtype))


def input_gradient(change):
    """The gradient that goes on to the layer before is changed."""
    def call(tf, layer, right, x):
        @tf.custom_gradient
        def identity(z):
            return tf.identity(z), lambda dz: change(tf, dz)

        return right(identity(x))

    return calling(call)


def weight_gradient(name: str, factor: float):
    """The gradient of a weight is multiplied. Dense layers and convolutions, padding 'same'."""
    def call(tf, layer, right, x):
        def times(weight, number):
            @tf.custom_gradient
            def identity(w):
                return tf.identity(w), lambda dw: dw * number

            return identity(weight.value)

        kernel = times(layer.kernel, factor if name == "kernel" else 1.0)
        bias = times(layer.bias, factor if name == "bias" else 1.0)
        z = (tf.matmul(x, kernel) if len(kernel.shape) == 2
             else tf.nn.conv2d(x, kernel, layer.strides, layer.padding.upper()))
        return layer.activation(z + bias)

    return calling(call)


def with_kernel(change):
    """The output of another kernel, which the layer makes of its own when it is called."""
    def call(tf, layer, right, x):
        kernel = change(tf, layer.kernel.value)
        z = (tf.matmul(x, kernel) if len(kernel.shape) == 2
             else tf.nn.conv2d(x, kernel, layer.strides, layer.padding.upper()))
        return layer.activation(z + layer.bias.value)

    return calling(call)


def unbiased(tf, layer, right, x):
    return right(x) - layer.bias.value


def averaged(tf, layer, right, x):
    return tf.nn.avg_pool2d(x, layer.pool_size, layer.strides, layer.padding.upper())


def by_channel(tf, layer, right, x):
    return tf.reshape(tf.transpose(x, (0, 3, 1, 2)), tf.shape(right(x)))


def other_epsilon(layer):
    """Uses another epsilon than its config says."""
    right = layer.call

    def call(x, *given, **named):
        kept, layer.epsilon = layer.epsilon, 1e-5
        try:
            return right(x, *given, **named)
        finally:
            layer.epsilon = kept

    layer.call = call


def rotated(tf, layer, right, x):
    return tf.roll(right(x), 1, 0)


def doubled_loss(twin):
    right = twin.compute_loss
    twin.compute_loss = lambda *given, **named: 2 * right(*given, **named)


def rate_off(twin):
    """The optimizer's rule gets a rate that is larger by one part in a thousand."""
    base = type(twin.optimizer)

    class Off(base):
        def update_step(self, gradient, variable, learning_rate):
            super().update_step(gradient, variable, learning_rate * 1.001)

    Off.__name__ = base.__name__
    twin.optimizer.__class__ = Off


def flip(tf, kernel):
    return tf.reverse(kernel, [0, 1])


def nudged(tf, kernel):
    """Changed behind the gate where the weights were found equal."""
    return kernel * 1.0001


# identifier, sentence, network, layer, tensor, cause, injection, causes that are the same
TABLE = [
    ("conv2d-flipped", "a convolution flips its kernel", CONV, "conv2d", OUT, "kernel-flipped",
     with_kernel(flip)),
    ("conv2d-bias-missing", "a convolution forgets its bias", CONV, "conv2d", OUT, "bias-missing",
     calling(unbiased)),
    ("conv2d-float16", "a convolution rounds its output to float16", CONV, "conv2d", OUT,
     "low-precision", rounded_to("float16")),
    ("conv2d-scaled", "a convolution's output is larger by one part in a thousand", CONV, "conv2d",
     OUT, "scale", output(lambda tf, y, x: y * 1.001)),
    ("conv2d-dk-doubled", "the gradient of a convolution's kernel counts twice", CONV, "conv2d",
     DK, "scale", weight_gradient("kernel", 2.0)),
    ("conv2d-db-missing", "a convolution's bias has no gradient", CONV, "conv2d", DB,
     "bias-missing", weight_gradient("bias", 0.0), ("gradient-missing", "scale")),
    ("conv2d-dx-negated", "a convolution's input gradient has the wrong sign", CONV, "conv2d", DX,
     "sign", input_gradient(lambda tf, dx: -dx)),
    ("conv2d-rotated", "a convolution mixes up the samples", CONV, "conv2d", OUT, "batch-mixed",
     calling(rotated)),
    ("dense-transposed", "a dense layer transposes its kernel", SQUARE, "dense", OUT,
     "transposed-weights", with_kernel(lambda tf, kernel: tf.transpose(kernel))),
    ("dense-weights-changed", "a dense layer's kernel changes behind the gate of the weights",
     DENSE, "dense", OUT, UNKNOWN, with_kernel(nudged), ("scale",)),
    ("dense-dk-halved", "the gradient of a dense kernel counts half", DENSE, "dense", DK, "scale",
     weight_gradient("kernel", 0.5)),
    ("dense-bfloat16", "a dense layer rounds its output to bfloat16", DENSE, "dense", OUT,
     "low-precision", rounded_to("bfloat16")),
    ("relu-leaks", "a rectifier lets one hundredth of what is negative through", RELU, "re_lu",
     OUT, "activation-other",
     output(lambda tf, y, x: tf.nn.leaky_relu(x, 0.01))),
    ("relu-dx-everywhere", "a rectifier's gradient passes everywhere", RELU, "re_lu", DX,
     "mask-missing", output(lambda tf, y, x: x + tf.stop_gradient(y - x)), ("activation-missing",)),
    ("pooling-average", "a max pooling averages", POOL, "max_pooling2d", OUT, "pool-kind",
     calling(averaged)),
    ("pooling-dx-divided", "a global mean's gradient is divided once more", AVERAGE,
     "global_average_pooling2d", DX, "scale", input_gradient(lambda tf, dx: dx / 30)),
    ("flatten-by-channel", "an image is flattened channel by channel", FLATTEN, "flatten", OUT,
     "flatten-order", calling(by_channel), ("axes-permuted",)),
    ("softmax-twice", "a softmax is applied twice", SOFTMAX, "softmax", OUT, "softmax-twice",
     calling(lambda tf, layer, right, x: right(right(x))), ("activation-twice",)),
    ("normalization-epsilon", "a batch normalization uses another epsilon", NORM,
     "batch_normalization", OUT, "epsilon", other_epsilon),
    ("layer-normalization-epsilon", "a layer normalization uses another epsilon", LAYER_NORM,
     "layer_normalization", OUT, "epsilon", other_epsilon),
]
OF_MODEL = [
    ("loss-doubled", "the loss counts twice", "loss", Place(LOSS, "value", "scale"), doubled_loss),
    ("optimizer-rate", "the rate is larger by one part in a thousand", "update",
     Place(OPTIMIZER, "", "scale", ("optimizer-setting",)), rate_off),
]


def faults():
    """All of them."""
    phases = {OUT: "forward", DX: "input gradient", DK: "weight gradient", DB: "weight gradient"}
    for name, sentence, network, layer, tensor, cause, inject, *also in TABLE:
        def into(twin, layer=layer, inject=inject):
            inject(twin.get_layer(layer))

        yield Fault(f"keras-{name}", "Keras's side", sentence, phases[tensor],
                    (Place(layer, tensor, cause, *also),), network, into, side="reference")
    for name, sentence, phase, place, inject in OF_MODEL:
        yield Fault(f"keras-{name}", "Keras's side", sentence, phase, (place,), DENSE, inject,
                    side="reference")
