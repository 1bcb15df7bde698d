"""Networks that everybody knows, made small, in Keras's words: LeNet-5, a MobileNet, a ResNet.

Built by Keras alone; nothing of ours has a hand in them until they are handed over.
"""

import contextlib

import numpy as np


@contextlib.contextmanager
def precision(keras, dtype: str):
    """What Keras makes in here is made in that precision: layers, loss and all."""
    floatx, policy = keras.config.floatx(), keras.config.dtype_policy()
    keras.config.set_floatx(dtype)
    keras.config.set_dtype_policy(dtype)
    try:
        yield
    finally:
        keras.config.set_floatx(floatx)
        keras.config.set_dtype_policy(policy)


def lenet5(keras):
    """LeNet-5 (LeCun et al., 1998) as it is usually written down: images (20, 18, 1), 10 classes.

    Tanh, average pooling, three dense layers; trained by plain descent.
    """
    L = keras.layers
    model = keras.Sequential([
        keras.Input((20, 18, 1)),
        L.Conv2D(6, 5, padding="same", activation="tanh"),  # (20, 18, 6)
        L.AveragePooling2D(2),                              # (10, 9, 6)
        L.Conv2D(16, 5, activation="tanh"),                 # (6, 5, 16)
        L.AveragePooling2D(2),                              # (3, 2, 16)
        L.Flatten(),                                        # (96,)
        L.Dense(120, activation="tanh"),
        L.Dense(84, activation="tanh"),
        L.Dense(10, activation="softmax"),
    ], name="lenet5")
    return compiled(model, keras.optimizers.SGD(0.05), "sparse_categorical_crossentropy")


def mobilenet(keras):
    """The blocks of MobileNet (Howard et al., 2017) as keras.applications has them.

    A strided convolution, then depthwise 3x3 and pointwise 1x1, each with batch normalization and
    ReLU6; global average pooling, dropout, and a convolution for the classes. (12, 10, 3), 5.
    """
    L = keras.layers

    def block(x, filters, strides):
        if strides == 2:
            x = L.ZeroPadding2D(((0, 1), (0, 1)))(x)
        x = L.DepthwiseConv2D(3, strides, padding="same" if strides == 1 else "valid",
                              use_bias=False)(x)
        x = L.ReLU(6.0)(L.BatchNormalization()(x))
        x = L.Conv2D(filters, 1, padding="same", use_bias=False)(x)
        return L.ReLU(6.0)(L.BatchNormalization()(x))

    source = keras.Input((12, 10, 3))
    x = L.Conv2D(6, 3, 2, padding="same", use_bias=False)(source)  # (6, 5, 6)
    x = L.ReLU(6.0)(L.BatchNormalization()(x))
    x = block(x, 8, 1)                                                          # (6, 5, 8)
    x = block(x, 12, 2)                                                         # (3, 2, 12)
    x = L.GlobalAveragePooling2D(keepdims=True)(x)                 # (1, 1, 12)
    x = L.Dropout(0.2)(x)
    x = L.Conv2D(5, 1, padding="same")(x)                          # (1, 1, 5)
    x = L.Reshape((5,))(x)
    x = L.Activation("softmax")(x)
    return compiled(keras.Model(source, x, name="mobilenet"), keras.optimizers.Adam(0.003),
                    "sparse_categorical_crossentropy")


def resnet(keras):
    """The blocks of ResNet (He et al., 2015): two convolutions and a way around them.

    The second block halves the image, and its way around is a strided 1x1 projection. Kernels are
    decayed, descent has momentum. Images (10, 12, 3), 4 classes, one-hot and smoothed.
    """
    L = keras.layers

    def conv(x, filters, size, strides=1):
        x = L.Conv2D(filters, size, strides, padding="same", use_bias=False,
                     kernel_initializer="he_normal",
                     kernel_regularizer=keras.regularizers.L2(1e-3))(x)
        return L.BatchNormalization(momentum=0.9, epsilon=1e-5)(x)

    def block(x, filters, strides=1):
        around = conv(x, filters, 1, strides) if strides > 1 else x
        x = L.Activation("relu")(conv(x, filters, 3, strides))
        return L.Activation("relu")(L.Add()([conv(x, filters, 3), around]))

    source = keras.Input((10, 12, 3))
    x = L.Activation("relu")(conv(source, 6, 3))    # (10, 12, 6)
    x = L.MaxPooling2D(3, 2, padding="same")(x)     # (5, 6, 6)
    x = block(x, 6)                                              # (5, 6, 6)
    x = block(x, 8, strides=2)                                   # (3, 3, 8)
    x = L.GlobalAveragePooling2D()(x)
    x = L.Dense(4, activation="softmax")(x)
    return compiled(keras.Model(source, x, name="resnet"),
                    keras.optimizers.SGD(0.02, momentum=0.9, nesterov=True),
                    keras.losses.CategoricalCrossentropy(label_smoothing=0.1))


def compiled(model, optimizer, loss, seed: int = 3):
    """The model, compiled, with weights that are nobody's defaults: statistics, scales, biases."""
    rng = np.random.default_rng(seed)
    for layer in model.layers:
        for weight in layer.weights:
            spread = rng.standard_normal(weight.shape)
            if weight.name in ("gamma", "moving_variance"):
                weight.assign(1 + 0.3 * np.abs(spread))
            elif len(weight.shape) == 1:  # biases, beta, moving means
                weight.assign(0.1 * spread)
            else:
                weight.assign(spread * np.sqrt(2 / np.prod(weight.shape[:-1])))
    model.compile(optimizer, loss, metrics=["accuracy"])
    return model


def batch(model, samples: int = 6, seed: int = 4):
    """(x, y) of random images and classes, y one-hot where the loss wants it."""
    rng = np.random.default_rng(seed)
    classes = model.output_shape[-1]
    x = rng.standard_normal((samples, *model.input_shape[1:]))
    y = rng.integers(0, classes, samples)
    if type(model.loss).__name__ == "CategoricalCrossentropy":
        return x, np.eye(classes)[y]
    return x, y
