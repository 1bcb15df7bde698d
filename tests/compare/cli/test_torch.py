"""`parity check --model mine:pair` with a PyTorch module in the pair."""

import importlib.util
import subprocess
import sys

import pytest

import compare
from compare.cli import main

MODULE = """
import keras
import torch
from torch import nn


def pair(activation=nn.ReLU, extra=()):
    keras.utils.set_random_seed(1)
    twin = keras.Sequential([
        keras.Input((6, 5, 2)), keras.layers.Conv2D(3, (2, 3), activation="relu", name="conv"),
        keras.layers.Flatten(name="flatten"), keras.layers.Dense(4, name="last")])
    port = nn.Sequential(nn.Conv2d(2, 3, (2, 3)), activation(), *extra, nn.Flatten(),
                         nn.Linear(45, 4))
    return port, twin


def tanh(): return pair(nn.Tanh)
def besides(): return pair(extra=[nn.Sigmoid()])
"""


@pytest.fixture
def mine(tmp_path, monkeypatch):
    pytest.importorskip("torch")
    (tmp_path / "my_torch_pair.py").write_text(MODULE)
    monkeypatch.syspath_prepend(str(tmp_path))
    return "my_torch_pair"


def test_a_pair_with_a_module(mine, capsys):
    assert main(["check", "--model", f"{mine}:pair", "--inference"]) == 0
    said = capsys.readouterr().out
    assert "conv with 0" in said and "Parity holds" in said


def test_a_mistake_in_it_is_named(mine, capsys):
    assert main(["check", "--model", f"{mine}:tanh", "--inference"]) == 1
    assert "activation-other" in capsys.readouterr().out


def test_a_module_without_a_partner_is_one_line(mine, capsys):
    assert main(["check", "--model", f"{mine}:besides", "--inference"]) == 2
    said = capsys.readouterr().err.strip().splitlines()[-1]
    assert "'flatten' (Flatten) in Keras. Received at that place: '2' (Sigmoid)" in said


def test_without_pytorch_it_is_said_how_to_install_it(tmp_path, monkeypatch, capsys):
    (tmp_path / "needs_torch.py").write_text(
        "raise ModuleNotFoundError(\"No module named 'torch'\", name='torch')\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert main(["check", "--model", "needs_torch:pair"]) == 2
    assert 'pip install "keras-parity[torch]"' in capsys.readouterr().err


def test_from_torch_without_pytorch_says_so_too(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ImportError, match="keras-parity.torch."):
        compare.from_torch(object())


def test_nothing_imports_pytorch_unless_a_module_is_handed_over():
    code = "import sys, compare, compare.parity, compare.adapters; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
