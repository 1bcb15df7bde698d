"""Submissions to one exercise, right and wrong in many ways, as files: see `write_class`.

`python -m tests.compare.support.submissions FOLDER COUNT` writes a class of so many, and the
exercise beside them.
"""

import json
import sys
from pathlib import Path

EXERCISE = '''
import keras

import compare

title = "A convolution, a rectifier, a dense layer"
points = {"conv forward": 2, "conv backward": 3, "relu": 1, "dense": 2}
seconds, memory = 10, 3.0


def reference():
    keras.utils.set_random_seed(2)
    return keras.Sequential([
        keras.Input((6, 5, 2)), keras.layers.Conv2D(3, (3, 2), name="conv"),
        keras.layers.ReLU(name="relu"), keras.layers.Flatten(name="flatten"),
        keras.layers.Dense(4, name="dense")])


def candidate(submission):
    def wrapped(thing):
        return compare.wrap(thing, kernel="w", bias="b", gradients={"kernel": "dw", "bias": "db"})

    return [wrapped(submission.Conv(2, 3, (3, 2))), compare.wrap(submission.Relu()), None,
            wrapped(submission.Dense(48, 4))]
'''

RIGHT = '''
import numpy as np


class Conv:
    """A convolution without padding, kernel (kh, kw, in, out)."""

    def __init__(self, channels, filters, size):
        self.w = np.random.standard_normal((*size, channels, filters)) * 0.1
        self.b = np.zeros(filters)

    def windows(self, x):
        kh, kw = self.w.shape[:2]
        found = np.lib.stride_tricks.sliding_window_view(x, (kh, kw), (1, 2))
        return found.transpose(0, 1, 2, 4, 5, 3)

    def forward(self, x):
        self.x = x
        return np.einsum("nijklc,klco->nijo", self.windows(x), self.w) + self.b

    def backward(self, dy):
        self.dw = np.einsum("nijklc,nijo->klco", self.windows(self.x), dy)
        self.db = dy.sum((0, 1, 2))
        kh, kw = self.w.shape[:2]
        padded = np.pad(dy, ((0, 0), (kh - 1, kh - 1), (kw - 1, kw - 1), (0, 0)))
        found = np.lib.stride_tricks.sliding_window_view(padded, (kh, kw), (1, 2))
        return np.einsum("nijokl,klco->nijc", found, self.w[::-1, ::-1])


class Relu:
    def forward(self, x):
        self.mask = x > 0
        return x * self.mask

    def backward(self, dy):
        return dy * self.mask


class Dense:
    def __init__(self, inputs, units):
        self.w = np.random.standard_normal((inputs, units)) * 0.1
        self.b = np.zeros(units)

    def forward(self, x):
        self.x = x
        return x @ self.w + self.b

    def backward(self, dy):
        self.dw = self.x.T @ dy
        self.db = dy.sum(0)
        return dy @ self.w.T
'''


def changed(old: str, new: str) -> str:
    assert old in RIGHT, old
    return RIGHT.replace(old, new)


# by kind: what is handed in
KINDS = {
    "right": RIGHT,
    "flipped": changed("self.w[::-1, ::-1]", "self.w"),
    "no_bias": changed("x @ self.w + self.b", "x @ self.w"),
    "mask": changed("return dy * self.mask", "return dy"),
    "mean": changed("self.db = dy.sum((0, 1, 2))", "self.db = dy.mean((0, 1, 2))"),
    "raises": changed("return x * self.mask", "return x * self.maks"),
    "hangs": changed("return dy * self.mask",
                     "import time\n        while True:\n            time.sleep(1)"),
    "exits": changed("return dy * self.mask", "import os\n        os._exit(0)"),
    "quits": "import sys\n\nsys.exit(0)\n",
    "floods": changed("return x * self.mask", "self.much = np.ones(10 ** 10)\n        return x"),
    "cheats": "import keras\n" + RIGHT,
    "prints": changed("self.mask = x > 0", "print('x' * 10 ** 7)\n        self.mask = x > 0"),
    "syntax": "def forward(x:\n    return x\n",
    "empty": "",
}


def notebook(code: str) -> str:
    """The code as a notebook, with lines in it that are no Python."""
    cells = [{"cell_type": "markdown", "source": ["# My network"]},
             {"cell_type": "code", "source": ["%matplotlib inline\n", "!pip install numpy\n"]},
             {"cell_type": "code", "source": code.splitlines(keepends=True)}]
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells})


def write_class(folder: Path, names) -> Path:
    """Files, notebooks and folders by turns, named after what is in them; the exercise's path."""
    folder.mkdir(parents=True, exist_ok=True)
    for i, (name, kind) in enumerate(names):
        if i % 3 == 0:
            (folder / f"{name}.py").write_text(KINDS[kind])
        elif i % 3 == 1:
            (folder / f"{name}.ipynb").write_text(notebook(KINDS[kind]))
        else:
            (folder / name).mkdir()
            (folder / name / "solution.py").write_text(KINDS[kind])
    config = folder.parent / "exercise.py"
    config.write_text(EXERCISE)
    return config


if __name__ == "__main__":
    kinds = list(KINDS)
    print(write_class(Path(sys.argv[1]), [(f"{kinds[i % len(kinds)]}_{i:03}", kinds[i % len(kinds)])
                                          for i in range(int(sys.argv[2]))]))
