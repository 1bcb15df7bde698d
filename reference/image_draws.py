"""What Keras's augmentations draw for each image: read, and handed over as one array.

That is (batch, 1, 1, draws). Where images are turned over, made grey or negatives, it is 1 for an
image of which that is done, else 0. A translation's is by how many pixels an image is moved, to the
right and down; a rotation's its angle in degrees; a zoom's what distances from the middle are
multiplied by, along the height and along the width; a shear's how far one row is moved against the
last, and one column; a blur's 1 for an image that is blurred, else 0, and two deviations, the same
for all images. Other augmentations cannot be handed what they draw.
"""

from typing import Any

import numpy as np

from reference.quiet import keras, tf

Images = keras.src.layers.preprocessing.image_preprocessing.base_image_preprocessing_layer
# the names of what Keras draws; '' where that has none
DRAWN = {keras.layers.RandomFlip: ("flips",), keras.layers.RandomBrightness: ("rgb_delta",),
         keras.layers.RandomContrast: ("contrast_factor",),
         keras.layers.RandomSharpness: ("factor",),
         keras.layers.RandomGaussianBlur: ("should_apply_blur", "blur_factor"),
         keras.layers.RandomGrayscale: ("",), keras.layers.RandomInvert: ("apply_inversion",),
         keras.layers.RandomTranslation: ("translations",),
         keras.layers.RandomRotation: ("angle",),
         keras.layers.RandomZoom: ("height_zoom", "width_zoom"),
         keras.layers.RandomShear: ("shear_factor",)}
CHOSEN = (keras.layers.RandomFlip, keras.layers.RandomGrayscale, keras.layers.RandomInvert)
AFFINE = (keras.layers.RandomTranslation, keras.layers.RandomRotation, keras.layers.RandomZoom,
          keras.layers.RandomShear)
NOT_RANDOM = (keras.layers.Resizing, keras.layers.CenterCrop)


def is_drawn(layer) -> bool:
    """Whether it is an augmentation that can be handed what it draws."""
    return isinstance(layer, tuple(DRAWN))


def is_undrawn(layer) -> bool:
    """Whether it is an augmentation whose draws cannot be handed over, so that images stay
    (`augmentation_not_drawn`)."""
    return isinstance(layer, Images.BaseImagePreprocessingLayer) and not isinstance(
        layer, (*DRAWN, *NOT_RANDOM))


def drawn(layer: Any, x) -> np.ndarray:
    """What the layer draws for images such as x."""
    found = layer.get_random_transformation(x, training=True)
    columns = [np.reshape((found[name] if name else found).numpy(), (len(x), -1))
               if name != "blur_factor" else np.tile(found[name].numpy(), (len(x), 1))
               for name in DRAWN[type(layer)]]
    noise = np.concatenate(columns, axis=1)[:, None, None]
    return np.array(noise, x.dtype.as_numpy_dtype)


def apply(layer: Any, x, noise):
    """What the layer makes of x in training with these draws."""
    noise = tf.cast(noise, x.dtype)
    if isinstance(layer, AFFINE):
        rows = tf.cast(tf.reshape(noise, [-1, noise.shape[-1]]), tf.float32)
        transformation = _affine(layer, x, tf.repeat(rows, tf.shape(x)[0] // tf.shape(rows)[0], 0))
    elif isinstance(layer, keras.layers.RandomGaussianBlur):
        transformation = {"should_apply_blur": noise[:, 0, 0, 0] != 0,
                          "blur_factor": noise[0, 0, 0, 1:]}
    else:
        name, = DRAWN[type(layer)]
        own = noise != 0 if isinstance(layer, CHOSEN) else noise
        own = own[:, 0, 0, 0] if isinstance(layer, keras.layers.RandomInvert) else own
        transformation = {name: own} if name else own
    return layer.transform_images(x, transformation, training=True)


def _affine(layer: Any, x, rows) -> dict:
    """Keras's dictionary for draws (batch, draws)."""
    if isinstance(layer, keras.layers.RandomZoom):
        return {"height_zoom": rows[:, :1], "width_zoom": rows[:, 1:]}
    if not isinstance(layer, keras.layers.RandomRotation):
        name, = DRAWN[type(layer)]
        return {name: rows}
    angle = rows[:, 0]
    zeros, ones = tf.zeros_like(angle), tf.ones_like(angle)
    first = layer.data_format == "channels_first"
    height, width = tf.shape(x)[2 if first else 1], tf.shape(x)[3 if first else 2]
    return {"rotation_matrix": layer._compute_affine_matrix(
        center_x=0.5, center_y=0.5, angle=angle, translate_x=zeros, translate_y=zeros, scale=ones,
        shear_x=zeros, shear_y=zeros, height=height, width=width)}
