"""What must be loaded before TensorFlow is."""

import subprocess
import sys
from importlib import machinery, util

import pytest

from compare.inputs import load_order

SCRIPT = """
import compare
import keras
import torch

torch.optim.SGD([torch.nn.Parameter(torch.zeros(2))], lr=0.1)
print("an optimizer beside Keras")
"""


def test_an_optimizer_of_pytorchs_can_be_made_beside_keras():
    pytest.importorskip("torch")
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True)
    assert done.stdout == "an optimizer beside Keras\n", done.stderr


@pytest.mark.parametrize("installed, loaded, asked", [
    (("torch", "triton"), (), True), (("torch",), (), False), (("triton",), (), False),
    (("torch", "triton"), ("tensorflow",), False)])
def test_triton_is_loaded_where_pytorch_has_it_and_tensorflow_is_not_there_yet(
        monkeypatch, installed, loaded, asked):
    monkeypatch.setattr(util, "find_spec", lambda name: machinery.ModuleSpec(name, None)
                        if name in installed else None)
    monkeypatch.setattr(load_order.sys, "modules", dict.fromkeys(loaded))
    names = []
    monkeypatch.setattr(load_order.importlib, "import_module", names.append)
    load_order.triton_first()
    assert names == (["triton"] if asked else [])


def test_a_triton_that_cannot_be_loaded_does_no_harm(monkeypatch):
    monkeypatch.setattr(util, "find_spec", lambda name: machinery.ModuleSpec(name, None))
    monkeypatch.setattr(load_order.sys, "modules", {})

    def broken(name):
        raise ImportError(name)

    monkeypatch.setattr(load_order.importlib, "import_module", broken)
    load_order.triton_first()
