"""The good files that are spoiled: models, weights, golden traces and batches, all small."""

import tarfile
from pathlib import Path

import numpy as np

import compare
import scratch
from tests.compare.support import nested
from tests.scratch.support import graphs

BATCH = "batch.npz"
OLDER = Path(__file__).parents[1] / "scratch/files/other_versions/keras-2.15.0.tar.xz"


def network() -> scratch.Sequential:
    """A stack with weights, statistics and an optimizer that has slots."""
    model = scratch.Sequential([
        scratch.Input((6, 5, 2)), scratch.Conv2D(3, 2, activation="relu", name="conv"),
        scratch.BatchNormalization(name="norm"), scratch.AveragePooling2D(2, name="pool"),
        scratch.Flatten(name="flat"), scratch.Dense(4, activation="softmax", name="dense")],
        name="net")
    model.compile(scratch.Adam(0.1), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def of_any_size() -> scratch.Sequential:
    """A stack whose images may be of any size, with the layers that make tables for theirs."""
    model = scratch.Sequential([
        scratch.Input((None, None, 2)), scratch.ZeroPadding2D(1),
        scratch.UpSampling2D(2, interpolation="bilinear"), scratch.Resizing(5, 4),
        scratch.DepthwiseConv2D(2), scratch.GlobalAveragePooling2D(), scratch.Dense(3)])
    model.compile("sgd", "mean_squared_error")
    return model


def write(folder) -> list:
    """Write them all; returns their paths."""
    model = network()
    x, y = np.random.default_rng(0).standard_normal((4, 6, 5, 2)), np.arange(4)
    model.fit(x, y, verbose=0)
    graph = graphs.excited()
    paths = [folder / name for name in ("stack.keras", "graph.keras", "stack.weights.h5",
                                        "stack.npz", "nested.keras", "open.keras", BATCH)]
    model.save(paths[0])
    graph.save(paths[1])
    model.save_weights(paths[2])
    compare.record(model, x, y).save(paths[3])
    nested.shared().save(paths[4])
    of_any_size().save(paths[5])
    np.savez_compressed(paths[6], x=x, y=y)
    with tarfile.open(OLDER) as archive:
        paths += [folder / name for name in ("nested.h5", "arithmetic.h5")]
        for path in paths[7:]:
            member = archive.extractfile(path.name)
            assert member is not None
            path.write_bytes(member.read())
    return paths
