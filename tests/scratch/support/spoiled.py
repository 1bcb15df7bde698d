"""What may be wrong in a file of variables: each function here spoils one that was right."""

import h5py
import numpy as np


def reshaped(store):
    del store["layers/dense/vars/0"]
    store["layers/dense/vars/0"] = np.zeros((4, 36), np.float32)


def renamed(store):
    store.move("layers/dense", "layers/dense_1")


def linked(store):
    del store["layers/dense/vars/0"]
    store["layers/dense/vars/0"] = h5py.ExternalLink("/etc/hostname", "/")


def linked_group(store):
    store.move("layers/dense", "elsewhere")
    store["layers/dense"] = h5py.SoftLink("/elsewhere")


def in_another_file(store):
    del store["layers/dense/vars/1"]
    store["layers/dense/vars"].create_dataset("1", (4,), "f4", external=[("/etc/hostname", 0, 16)])


def huge(store):
    del store["layers/dense/vars/0"]
    store["layers/dense/vars"].create_dataset("0", (10**6, 10**7), "f4", chunks=(100, 100))


def as_text(store):
    del store["layers/dense/vars/1"]
    store["layers/dense/vars/1"] = [b"a", b"b", b"c", b"d"]


def as_numbers(store):
    del store["layers/dense/vars/1"]
    store["layers/dense/vars/1"] = np.arange(4)


def without_bias(store):
    del store["layers/dense/vars/1"]


def one_more(store):
    store["layers/dense/vars/2"] = np.zeros(3, np.float32)


def extra_layer(store):
    store["layers/dense_1/vars/0"] = np.zeros((4, 4), np.float32)


def keras_2(store):
    store.attrs["layer_names"] = ["dense"]


def array_for_group(store):
    del store["layers/dense"]
    store["layers/dense"] = np.zeros(3)


def other_slots(store):
    del store["optimizer/vars/2"]
    store["optimizer/vars/2"] = np.zeros(3, np.float32)
