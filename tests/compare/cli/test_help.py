"""Help that can be acted on: it fits 80 columns, and the commands in it are commands."""

import re
import shlex

import pytest

from compare.cli import COMMANDS, build_parser, main


def help_of(command, capsys) -> str:
    assert main([*([command] if command else []), "--help"]) == 0
    return capsys.readouterr().out


def commands_in(text: str) -> list[list[str]]:
    """The arguments of every line that is a command to copy, comments left out."""
    return [shlex.split(line, comments=True)[1:] for line in text.splitlines()
            if re.match(r" +parity (?!\[)", line)]


@pytest.mark.parametrize("columns", ["40", "200"])
@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_it_fits_80_columns_whatever_the_window(command, columns, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", columns)
    text = help_of(command, capsys)
    assert [line for line in text.splitlines() if len(line) > 80] == []


@pytest.mark.parametrize("command", COMMANDS)
def test_each_says_what_it_is_for_and_shows_how(command, capsys):
    text = help_of(command, capsys)
    usage, purpose, *_ = text.split("\n\n")
    assert usage.startswith(f"usage: parity {command} ") and len(purpose.splitlines()) == 1
    assert purpose.endswith((".", "?"))
    examples = commands_in(text[text.index("examples:"):])
    assert len([argv for argv in examples if argv[0] == command]) >= 2
    assert "\noutput:\n" in text and "Exits 0" in text or command == "record"


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_its_examples_are_commands(command, capsys):
    """The parser takes each of them, so that none has an option that is not there any more."""
    found = commands_in(help_of(command, capsys))
    assert len(found) >= 2
    for argv in found:
        args = build_parser().parse_args(argv)
        assert args.command in COMMANDS


def test_a_newcomer_finds_the_three_jobs_exit_codes_and_where_files_go(capsys):
    text = help_of("", capsys)
    assert {argv[0] for argv in commands_in(text)} == {"check", "debug", "bench"}
    for word in ("exit codes:", "first of all try: parity check", "standard output", "NO_COLOR",
                 "--print-completion"):
        assert word in text, word


def test_no_command_is_no_verdict(capsys):
    assert main([]) == 2
    out, err = capsys.readouterr()
    assert out == "" and "usage: parity" in err
    assert err.splitlines()[-1] == ("parity: error: expected a command. Received none. "
                                    "First of all try: parity check")
