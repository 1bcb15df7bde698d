"""Intersection over union, class by class, from a confusion matrix gathered over all batches."""

import numpy as np

from scratch.losses.base import EPSILON
from scratch.metrics.base import Metric


class IoU(Metric):
    """The mean of hits / (hits + false alarms + misses) over some classes, those that never occur
    left out.

    Args:
        num_classes: how many there are.
        target_class_ids: the classes whose mean it is.
        ignore_class: samples labelled so count for nothing.
        sparse_y_true, sparse_y_pred: whether labels and outputs are class numbers; else the largest
            of the last axis tells the class.
        dtype: of the weights, whole numbers by default: 0.5 then counts for nothing, as in Keras.

    Raises:
        ValueError: for a class beyond `num_classes`.
    """

    neutral = {"axis": (-1,)}
    default_name = "io_u"

    def __init__(self, num_classes, target_class_ids, name=None, dtype=None, ignore_class=None,
                 sparse_y_true=True, sparse_y_pred=True, **settings):
        self.num_classes, self.target_class_ids = num_classes, list(target_class_ids)
        if max(self.target_class_ids) >= num_classes:
            raise ValueError(f"{type(self).__name__}: expected target_class_ids below "
                             f"{num_classes}. Received: {self.target_class_ids}")
        self.ignore_class = ignore_class
        self.sparse_y_true, self.sparse_y_pred = bool(sparse_y_true), bool(sparse_y_pred)
        super().__init__(name, dtype or "int64", **settings)

    def update_state(self, y_true, y_pred, sample_weight=None):
        truth, said = self.classes(np.asarray(y_true), np.asarray(y_pred))
        truth, said = truth.reshape(-1), said.reshape(-1)
        if truth.shape != said.shape:
            raise ValueError(f"{type(self).__name__}: expected a label for each output. Received: "
                             f"{np.shape(y_true)} for outputs {np.shape(y_pred)}")
        weights = np.ones(truth.shape)
        if sample_weight is not None:
            given = np.asarray(sample_weight).astype(self.dtype).astype(np.float64).reshape(-1)
            try:
                weights = np.broadcast_to(given, truth.shape)
            except ValueError:
                raise ValueError(f"{type(self).__name__}: expected a sample weight for each label "
                                 f"{np.shape(y_true)}. Received: {np.shape(sample_weight)}"
                                 ) from None
        counts = (truth >= 0) & (truth < self.num_classes) & (said >= 0) & (said < self.num_classes)
        if self.ignore_class is not None:
            counts &= truth != self.ignore_class
        np.add.at(self.matrix, (truth[counts], said[counts]), weights[counts])

    def classes(self, y_true: np.ndarray, y_pred: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(true class, predicted class) of every sample, integers."""
        if not self.sparse_y_true:
            y_true = y_true.argmax(axis=-1)
        if not self.sparse_y_pred:
            y_pred = y_pred.argmax(axis=-1)
        return y_true.astype(np.int64), y_pred.astype(np.int64)

    def result(self):
        hits = np.diag(self.matrix)[self.target_class_ids]
        either = (self.matrix.sum(axis=0) + self.matrix.sum(axis=1)
                  - np.diag(self.matrix))[self.target_class_ids]
        occurs = either > 1e-9
        share = np.where(occurs, hits / (either + EPSILON), 0.0)
        return float(share.sum() / (occurs.sum() + EPSILON))

    def reset_state(self):
        self.matrix = np.zeros((self.num_classes, self.num_classes))  # true class, predicted class

    def get_config(self):
        return {**super().get_config(), "num_classes": self.num_classes,
                "target_class_ids": self.target_class_ids, "ignore_class": self.ignore_class,
                "sparse_y_true": self.sparse_y_true, "sparse_y_pred": self.sparse_y_pred,
                "axis": -1}


class BinaryIoU(IoU):
    """The same for yes and no: an output is a yes from `threshold` on."""

    neutral: dict = {}
    default_name = "binary_io_u"

    def __init__(self, target_class_ids=(0, 1), threshold=0.5, name=None, dtype=None):
        self.threshold = threshold
        super().__init__(2, target_class_ids, name, dtype)

    def classes(self, y_true, y_pred):
        return super().classes(y_true, y_pred.astype(np.float32) >= np.float32(self.threshold))

    def get_config(self):
        return {"name": self.name, "dtype": self.dtype, "target_class_ids": self.target_class_ids,
                "threshold": self.threshold}


class MeanIoU(IoU):
    """The mean over all classes."""

    default_name = "mean_io_u"

    def __init__(self, num_classes, name=None, dtype=None, ignore_class=None, sparse_y_true=True,
                 sparse_y_pred=True, **settings):
        super().__init__(num_classes, range(num_classes), name, dtype, ignore_class, sparse_y_true,
                         sparse_y_pred, **settings)

    def get_config(self):
        return without(super().get_config(), "target_class_ids")


class OneHotIoU(IoU):
    """The same, for labels that are one-hot rows, and outputs that are too unless told."""

    default_name = "one_hot_io_u"

    def __init__(self, num_classes, target_class_ids, name=None, dtype=None, ignore_class=None,
                 sparse_y_pred=False, **settings):
        super().__init__(num_classes, target_class_ids, name, dtype, ignore_class, False,
                         sparse_y_pred, **settings)

    def get_config(self):
        return without(super().get_config(), "sparse_y_true")


class OneHotMeanIoU(OneHotIoU):
    """The mean over all classes, for labels that are one-hot rows."""

    default_name = "one_hot_mean_io_u"

    def __init__(self, num_classes, name=None, dtype=None, ignore_class=None, sparse_y_pred=False,
                 **settings):
        super().__init__(num_classes, range(num_classes), name, dtype, ignore_class, sparse_y_pred,
                         **settings)

    def get_config(self):
        return without(super().get_config(), "target_class_ids")


def without(config: dict, key: str) -> dict:
    return {name: value for name, value in config.items() if name != key}
