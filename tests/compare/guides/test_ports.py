"""The guide for ports: its blocks run, and the options that it names exist."""

import re

import pytest

from compare.cli import build_parser
from tests.compare.support import guides

BLOCKS = guides.python_blocks("PORTS")


def test_the_blocks_run_one_after_the_other(keras):
    names = run(BLOCKS[:5])
    assert not names["report"]
    assert run(BLOCKS[:7])["report"]


def test_the_blocks_on_pytorch_run_after_the_first(keras):
    pytest.importorskip("torch")
    assert run([BLOCKS[0], *BLOCKS[7:9]])["report"]


@pytest.mark.parametrize("block, needed", [
    (9, ("onnx", "onnxruntime", "tf2onnx")), (10, ("tensorflow.lite",)), (11, ("jax",))])
def test_the_blocks_on_other_runtimes_run_after_the_first(keras, tmp_path, monkeypatch, block,
                                                          needed):
    for name in needed:
        pytest.importorskip(name)
    monkeypatch.chdir(tmp_path)
    assert run([BLOCKS[0], BLOCKS[block]])["report"]


def run(blocks) -> dict:
    return guides.run(blocks, "PORTS")


def test_its_commands_can_be_parsed():
    commands = re.findall(r"^\$ parity (.*)$", guides.text("PORTS"), re.MULTILINE)
    assert len(commands) == 4
    for command in commands:
        args = build_parser().parse_args(command.split())
        assert args.outputs in ("onnx.npz", "model.onnx")
