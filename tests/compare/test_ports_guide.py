"""The guide for ports: its blocks run, and the options that it names exist."""

import re
from pathlib import Path

import pytest

from compare.cli import build_parser

TEXT = (Path(__file__).parents[2] / "compare" / "guides" / "PORTS.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)


def test_the_blocks_run_one_after_the_other(keras):
    names = run(BLOCKS[:4])
    assert not names["report"]


def test_the_blocks_on_pytorch_run_after_the_first(keras):
    pytest.importorskip("torch")
    assert run([BLOCKS[0], *BLOCKS[4:]])["report"]


def run(blocks) -> dict:
    names: dict = {}
    for block in blocks:
        exec(compile(block, "PORTS.md", "exec"), names)
    return names


def test_its_commands_can_be_parsed():
    commands = re.findall(r"^\$ parity (.*)$", TEXT, re.MULTILINE)
    assert len(commands) == 2
    for command in commands:
        args = build_parser().parse_args(command.split())
        assert args.outputs == "onnx.npz"
