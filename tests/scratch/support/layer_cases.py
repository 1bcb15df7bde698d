"""One layer of each class, spelled as in both packages, and the shape of what it is fed."""

import importlib

import scratch

IMAGE, ROWS, VOLUME = (8, 6, 4), (9, 4), (5, 8, 6, 4)  # what the layers below are fed


def own(package, name):
    """A class that Keras keeps with its networks, of Keras or of scratch."""
    ours = scratch.layers.LAYERS[name]
    if package is scratch or package is scratch.layers:
        return ours
    return getattr(importlib.import_module(ours.keras_module), name)


# One of each, spelled alike in both packages, with arguments other than the defaults.
LAYERS = {
    "Conv2D": (IMAGE, lambda K: K.Conv2D(6, (2, 3), dilation_rate=2, groups=2, activation="relu",
                                         kernel_regularizer="l2")),
    "Conv1D": (ROWS, lambda K: K.Conv1D(3, 2, strides=2, padding="same", use_bias=False)),
    "Conv3D": (VOLUME, lambda K: K.Conv3D(6, (2, 3, 1), strides=(1, 2, 3), groups=2,
                                          padding="same", activation="relu")),
    "DepthwiseConv1D": (ROWS, lambda K: K.DepthwiseConv1D(3, strides=2, depth_multiplier=2,
                                                          depthwise_regularizer="l1")),
    "DepthwiseConv2D": (IMAGE, lambda K: K.DepthwiseConv2D((2, 3), depth_multiplier=2)),
    "SeparableConv1D": (ROWS, lambda K: K.SeparableConv1D(5, 3, dilation_rate=2,
                                                          pointwise_regularizer="l2")),
    "SeparableConv2D": (IMAGE, lambda K: K.SeparableConv2D(5, 3, activation="elu")),
    "Conv2DTranspose": (IMAGE, lambda K: K.Conv2DTranspose(3, (3, 2), strides=2)),
    "Conv1DTranspose": (ROWS, lambda K: K.Conv1DTranspose(3, 4, strides=3, output_padding=1)),
    "Conv3DTranspose": (VOLUME, lambda K: K.Conv3DTranspose(3, (2, 3, 1), strides=(2, 1, 2))),
    "Dense": (IMAGE, lambda K: K.Dense(5, activation="gelu", bias_initializer="ones")),
    "Flatten": (IMAGE, lambda K: K.Flatten(data_format="channels_first")),
    "ReLU": (ROWS, lambda K: K.ReLU(max_value=3.0, negative_slope=0.1, threshold=0.5)),
    "LeakyReLU": (ROWS, lambda K: K.LeakyReLU(negative_slope=0.2)),
    "PReLU": (IMAGE, lambda K: K.PReLU(shared_axes=[1, 2], alpha_initializer="ones")),
    "ELU": (ROWS, lambda K: K.ELU(alpha=0.5)),
    "Softmax": (ROWS, lambda K: K.Softmax(axis=1)),
    "Activation": (ROWS, lambda K: K.Activation("hard_sigmoid")),
    "MaxPooling1D": (ROWS, lambda K: K.MaxPooling1D(3, strides=2, padding="same")),
    "MaxPooling2D": (IMAGE, lambda K: K.MaxPooling2D((3, 2))),
    "MaxPooling3D": (VOLUME, lambda K: K.MaxPooling3D((2, 3, 1), strides=2)),
    "AveragePooling1D": (ROWS, lambda K: K.AveragePooling1D(2)),
    "AveragePooling2D": (IMAGE, lambda K: K.AveragePooling2D((2, 3), padding="same")),
    "AveragePooling3D": (VOLUME, lambda K: K.AveragePooling3D((2, 3, 1), padding="same")),
    "GlobalMaxPooling1D": (ROWS, lambda K: K.GlobalMaxPooling1D()),
    "GlobalMaxPooling2D": (IMAGE, lambda K: K.GlobalMaxPooling2D(keepdims=True)),
    "GlobalMaxPooling3D": (VOLUME, lambda K: K.GlobalMaxPooling3D()),
    "GlobalAveragePooling1D": (ROWS, lambda K: K.GlobalAveragePooling1D()),
    "GlobalAveragePooling2D": (IMAGE, lambda K: K.GlobalAveragePooling2D(keepdims=True)),
    "GlobalAveragePooling3D": (VOLUME, lambda K: K.GlobalAveragePooling3D(keepdims=True)),
    "Reshape": (IMAGE, lambda K: K.Reshape((4, -1, 2))),
    "Permute": (IMAGE, lambda K: K.Permute((3, 1, 2))),
    "ZeroPadding1D": (ROWS, lambda K: K.ZeroPadding1D((1, 2))),
    "ZeroPadding2D": (IMAGE, lambda K: K.ZeroPadding2D(((1, 2), (3, 0)))),
    "ZeroPadding3D": (VOLUME, lambda K: K.ZeroPadding3D(((1, 2), (3, 0), (0, 1)))),
    "Cropping1D": (ROWS, lambda K: K.Cropping1D((1, 2))),
    "Cropping2D": (IMAGE, lambda K: K.Cropping2D(((1, 2), (3, 0)))),
    "Cropping3D": (VOLUME, lambda K: K.Cropping3D(((1, 2), (3, 0), (0, 1)))),
    "UpSampling1D": (ROWS, lambda K: K.UpSampling1D(3)),
    "UpSampling2D": (IMAGE, lambda K: K.UpSampling2D((2, 3))),
    "UpSampling3D": (VOLUME, lambda K: K.UpSampling3D((2, 3, 1))),
    "BatchNormalization": (IMAGE, lambda K: K.BatchNormalization(momentum=0.5, epsilon=0.01)),
    "LayerNormalization": (IMAGE, lambda K: K.LayerNormalization(axis=[-2, -1])),
    "Dropout": (ROWS, lambda K: K.Dropout(0.3, seed=1)),
    "SpatialDropout1D": (ROWS, lambda K: K.SpatialDropout1D(0.3)),
    "SpatialDropout2D": (IMAGE, lambda K: K.SpatialDropout2D(0.3)),
    "GaussianNoise": (ROWS, lambda K: K.GaussianNoise(0.5)),
    "ActivityRegularization": (ROWS, lambda K: K.ActivityRegularization(l1=0.1, l2=0.2)),
    "GroupNormalization": (IMAGE, lambda K: K.GroupNormalization(2, epsilon=0.01)),
    "RMSNormalization": (IMAGE, lambda K: K.RMSNormalization(axis=[-2, -1], epsilon=0.01)),
    "UnitNormalization": (IMAGE, lambda K: K.UnitNormalization(axis=[1, -1])),
    "Normalization": (IMAGE, lambda K: K.Normalization(axis=[1, -1], invert=True)),
    "Rescaling": (ROWS, lambda K: K.Rescaling([0.5, 1.0, 2.0, -3.0], offset=0.5)),
    "GaussianDropout": (ROWS, lambda K: K.GaussianDropout(0.3, seed=1)),
    "AlphaDropout": (ROWS, lambda K: K.AlphaDropout(0.3, noise_shape=(None, 1, 4))),
    "SpatialDropout3D": ((2, 3, 5, 4), lambda K: K.SpatialDropout3D(0.3)),
    "Attention": (ROWS, lambda K: K.Attention(use_scale=True, score_mode="concat")),
    "MultiHeadAttention": (ROWS, lambda K: K.MultiHeadAttention(
        2, 3, value_dim=2, output_shape=5, kernel_regularizer="l2")),
    "AdditiveAttention": (ROWS, lambda K: K.AdditiveAttention()),
    "EinsumDense": (ROWS, lambda K: K.EinsumDense("abc,cde->abde", (9, 2, 3), bias_axes="e",
                                                  activation="elu")),
    "Embedding": (ROWS, lambda K: K.Embedding(5, 3, embeddings_regularizer="l2",
                                              embeddings_initializer="ones")),
    "TimeDistributed": (IMAGE, lambda K: K.TimeDistributed(K.Conv1D(3, 2, activation="elu"))),
    "SimpleRNN": (ROWS, lambda K: K.SimpleRNN(3, recurrent_regularizer="l2", go_backwards=True)),
    "LSTM": (ROWS, lambda K: K.LSTM(3, recurrent_activation="hard_sigmoid", return_sequences=True,
                                    bias_initializer="ones")),
    "GRU": (ROWS, lambda K: K.GRU(3, reset_after=False, kernel_regularizer="l1")),
    "LayerScale": (IMAGE, lambda K: own(K, "LayerScale")(0.25, 4)),
    "StochasticDepth": (IMAGE, lambda K: own(K, "StochasticDepth")(0.3)),
    "CustomScaleLayer": (ROWS, lambda K: own(K, "CustomScaleLayer")(0.17)),
    "Identity": (ROWS, lambda K: K.Identity()),
    "RepeatVector": ((6,), lambda K: K.RepeatVector(3)),
    "CenterCrop": (IMAGE, lambda K: K.CenterCrop(5, 3)),
    "Resizing": (IMAGE, lambda K: K.Resizing(5, 9, interpolation="nearest", fill_value=0.5,
                                             pad_to_aspect_ratio=True)),
    "Dot": (ROWS, lambda K: K.Dot(axes=(2, -1), normalize=True)),
    "Add": (ROWS, lambda K: K.Add()),
    "Average": (ROWS, lambda K: K.Average()),
    "Concatenate": (ROWS, lambda K: K.Concatenate(axis=1)),
    "Maximum": (ROWS, lambda K: K.Maximum()),
    "Minimum": (ROWS, lambda K: K.Minimum()),
    "Multiply": (ROWS, lambda K: K.Multiply()),
    "Subtract": (ROWS, lambda K: K.Subtract()),
}
