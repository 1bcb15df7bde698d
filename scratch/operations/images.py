"""Images at another size: keras.ops.image.resize."""

from scratch.layers.arguments import pair
from scratch.layers.resizing import Resizing
from scratch.operations.operation import Operation


class ResizeOperation(Operation, Resizing):
    """Every image brought to `size`; see `scratch.Resizing`.

    Args:
        size: (height, width).
        interpolation, antialias, crop_to_aspect_ratio, pad_to_aspect_ratio, fill_mode, fill_value,
            data_format: see `scratch.Resizing`.
        operands, name: see `Operation`.

    Raises:
        ValueError, UnsupportedError: as `scratch.Resizing`.
    """

    module = "keras.src.ops.image"
    called_in_training = False
    sample_by_sample = True

    def __init__(self, size, data_format=None, **kwargs):
        height, width = pair(size, "size", "resize")
        super().__init__(height=height, width=width, data_format=data_format, **kwargs)
        self._given_format = data_format

    def get_config(self):
        settings = ("interpolation", "antialias", "crop_to_aspect_ratio", "pad_to_aspect_ratio",
                    "fill_mode", "fill_value")
        return {**Operation.get_config(self), "size": [self.height, self.width],
                "data_format": self._given_format,
                **{name: getattr(self, name) for name in settings}}
