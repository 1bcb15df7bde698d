"""The guide for ports: its blocks run, and the options that it names exist."""

import re
from pathlib import Path

from compare.cli import build_parser

TEXT = (Path(__file__).parents[2] / "compare" / "guides" / "PORTS.md").read_text(encoding="utf-8")


def test_the_blocks_run_one_after_the_other(keras):
    blocks = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    assert len(blocks) == 4
    names: dict = {}
    for block in blocks:
        exec(compile(block, "PORTS.md", "exec"), names)
    assert not names["report"]


def test_its_commands_can_be_parsed():
    commands = re.findall(r"^\$ parity (.*)$", TEXT, re.MULTILINE)
    assert len(commands) == 2
    for command in commands:
        args = build_parser().parse_args(command.split())
        assert args.outputs == "onnx.npz"
