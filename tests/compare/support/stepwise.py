"""Networks with a model on every step of a sequence, by the library that makes them."""

import numpy as np

STEPS, IMAGE = 3, (6, 5, 2)


def frames(library, operations=True):
    """A graph for images, with batch normalization, a layer called twice, a merge, a dropout, an
    activation regularizer and operations."""
    K, x = library.layers, library.Input(IMAGE)
    y = K.Conv2D(3, (3, 2), name="conv", bias_initializer="random_normal", activation="relu")(x)
    y = K.BatchNormalization(name="norm", momentum=0.7)(y)
    again = K.Conv2D(3, (2, 3), padding="same", name="again", kernel_regularizer="l2")
    y = K.Add(name="add")([again(again(y)), y])
    y = y * 0.5 if operations else y
    y = K.MaxPooling2D(2, name="pool")(y)
    y = K.Dropout(0.3, name="drop")(K.Flatten(name="flatten")(y))
    y = K.Dense(4, name="dense", activity_regularizer="l2", bias_initializer="random_normal")(y)
    return library.Model(x, y, name="cnn")


def video(library, operations=True):
    """Frames through a model, then a recurrent layer."""
    K, x = library.layers, library.Input((STEPS, *IMAGE))
    y = K.TimeDistributed(frames(library, operations), name="frames")(x)
    model = library.Model(x, K.Dense(2, activation="softmax", name="end")(K.GRU(3, name="gru")(y)))
    model.compile("adam", "sparse_categorical_crossentropy")
    return model


def batch():
    """(frames, labels)."""
    rng = np.random.default_rng(0)
    return rng.standard_normal((4, STEPS, *IMAGE)).astype("float32"), np.array([0, 1, 1, 0])
