"""Small networks whose layers are planned, each in another way; images and kernels not square."""

import numpy as np

import scratch
from scratch import Conv2D, Dense, Flatten, Input, MaxPooling2D, ReLU
from scratch.layers import (
    Activation,
    Add,
    BatchNormalization,
    Conv1D,
    Conv1DTranspose,
    Conv2DTranspose,
    DepthwiseConv1D,
    DepthwiseConv2D,
    Dropout,
    MaxPooling1D,
    SeparableConv1D,
    SeparableConv2D,
)


def images(*layers):
    return scratch.Sequential([Input((9, 7, 2)), *layers, Flatten(), Dense(4, "softmax")])


def with_skip():
    x = Input((9, 7, 2))
    y = Conv2D(3, (2, 3), padding="same", activation="relu")(x)
    z = Add()([Conv2D(3, 1)(y), y])
    return scratch.Model(x, Dense(4, "softmax")(Flatten()(ReLU()(z))))


def tied():
    x, shared = Input((9, 7, 2)), Conv2D(2, 3, padding="same")
    return scratch.Model(x, Dense(4, "softmax")(Flatten()(shared(ReLU()(shared(x))))))


NETWORKS = {
    "as in the benchmark": lambda: images(
        Conv2D(3, (3, 2), padding="same"), ReLU(), Conv2D(5, 3, padding="same"), ReLU(),
        MaxPooling2D(2)),
    "activations inside": lambda: images(
        Conv2D(4, (2, 3), activation="relu"), MaxPooling2D((2, 1)), Conv2D(2, 3, activation="tanh"),
        Activation("relu")),
    "strides that differ": lambda: images(
        Conv2D(13, (3, 2), strides=(2, 1), padding="same"), ReLU(), Conv2D(2, 2, strides=(1, 3))),
    "kernels of one row": lambda: images(Conv2D(3, (1, 4)), ReLU(), Conv2D(2, 1, use_bias=False)),
    "rows that are dilated": lambda: images(
        Conv2D(3, (3, 2), dilation_rate=(2, 1)), ReLU(), Conv2D(3, 2, dilation_rate=(1, 2))),
    "pixels that no window sees": lambda: images(MaxPooling2D((2, 3), strides=(3, 3)), ReLU()),
    "windows that overlap": lambda: images(Conv2D(2, 3), MaxPooling2D(3, strides=1), ReLU()),
    "statistics of other axes": lambda: images(
        BatchNormalization(axis=1, scale=False), Conv2D(3, 2, activation="relu"),
        BatchNormalization(center=False), BatchNormalization(center=False, scale=False),
        BatchNormalization(trainable=False), Conv2D(2, 1)),
    "groups, and statistics": lambda: images(
        Conv2D(4, 3, groups=2), BatchNormalization(), ReLU(), Conv2D(2, 2)),
    "frozen in the middle": lambda: images(
        Conv2D(3, 3), ReLU(), Conv2D(3, 3, trainable=False), ReLU(), Conv2D(3, 2)),
    "a sequence": lambda: scratch.Sequential([
        Input((11, 3)), Conv1D(5, 3, padding="causal", activation="relu"), MaxPooling1D(2),
        Conv1D(4, 2, strides=2), Flatten(), Dense(6, "relu"), Dense(4, "softmax")]),
    "rows of numbers": lambda: scratch.Sequential([
        Input((5,)), Dense(7), ReLU(), Dense(3, "tanh"), Dense(4, "softmax")]),
    "channels apart": lambda: images(
        DepthwiseConv2D((2, 3), padding="same", activation="relu"),
        DepthwiseConv2D(3, depth_multiplier=2, strides=2), ReLU(),
        DepthwiseConv2D(2, depth_multiplier=6, dilation_rate=(2, 1), padding="same")),
    "channels apart in a sequence": lambda: scratch.Sequential([
        Input((11, 3)), DepthwiseConv1D(3, depth_multiplier=2), ReLU(),
        DepthwiseConv1D(2, strides=2), Flatten(), Dense(4, "softmax")]),
    "channels apart, then together": lambda: images(
        SeparableConv2D(3, (2, 3), padding="same", activation="relu"),
        SeparableConv2D(13, 3, depth_multiplier=2, strides=2)),
    "channels of a sequence apart, then together": lambda: scratch.Sequential([
        Input((11, 3)), SeparableConv1D(5, 3, activation="relu"), SeparableConv1D(2, 2),
        Flatten(), Dense(4, "softmax")]),
    "one channel, and kernels as high as the image": lambda: images(
        Conv2D(1, (9, 2), padding="valid", activation="relu"), Conv2D(1, (1, 2)),
        Conv2DTranspose(1, (4, 1)), Conv2D(2, (4, 1))),
    "one channel in a sequence": lambda: scratch.Sequential([
        Input((6, 1)), Conv1D(1, 6), Conv1DTranspose(1, 5), Conv1D(3, 5), Flatten(),
        Dense(4, "softmax")]),
    "transposed": lambda: images(
        Conv2DTranspose(3, (3, 2), strides=(2, 3)), ReLU(),
        Conv2DTranspose(2, 2, padding="same", activation="relu"), Conv2DTranspose(13, 3)),
    "a transposed sequence": lambda: scratch.Sequential([
        Input((5, 3)), Conv1DTranspose(4, 3, strides=2), Flatten(), Dense(4, "softmax")]),
    "a class for each pixel": lambda: scratch.Sequential([
        Input((5, 4, 2)), Conv2D(3, 2, activation="relu"),
        Conv2D(4, (1, 2), activation="softmax")]),
    "a class for each step": lambda: scratch.Sequential([
        Input((6, 2)), SeparableConv1D(3, 2), Conv1D(4, 1), Activation("softmax")]),
    "noise": lambda: images(Conv2D(3, 3, activation="relu"), Dropout(0.4), ReLU()),
    "a skip": with_skip,
    "one layer twice": tied,
}


def compiled(name: str, optimizer="adam", **settings):
    """Such a network, with the same weights each time."""
    scratch.set_random_seed(7)
    model = NETWORKS[name]()
    model.compile(optimizer, "sparse_categorical_crossentropy", **settings)
    return model


def batches(model, samples: int, steps: int):
    """Random ones of that size, in memory in an unusual order."""
    generator = np.random.default_rng(samples)
    shape = (samples, *model.input_shape[1:])
    for _ in range(steps):
        x = np.asfortranarray(generator.normal(size=shape).astype(np.float32))
        yield x, generator.integers(0, 4, (samples, *model.output_shape[1:-1]))
