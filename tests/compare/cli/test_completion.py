"""Tab completion: the scripts are what their shells read, and bash completes with them."""

import shutil
import subprocess
import sys

import pytest

from compare.cli import build_parser, main
from compare.cli.completion import SHELLS, script

BASH, FISH = shutil.which("bash"), shutil.which("fish")
# as readline does it: the function that `complete` registered, asked for the last of the words
ASK = """
source {script}
ask() {{
    COMP_WORDS=("$@"); COMP_CWORD=$(( $# - 1 )); COMP_LINE="$*"; COMP_POINT=${{#COMP_LINE}}
    COMPREPLY=()
    local registered=$(complete -p parity)
    local function=$(sed 's/.*-F \\([^ ]*\\).*/\\1/' <<< "$registered")
    "$function" parity "${{COMP_WORDS[COMP_CWORD]}}" "${{COMP_WORDS[COMP_CWORD-1]}}"
    printf '%s\\n' "${{COMPREPLY[@]}}"
}}
ask {words}
"""


@pytest.fixture
def bash(tmp_path, monkeypatch):
    if BASH is None:
        pytest.skip("bash is not installed")
    path = tmp_path / "completion.bash"
    path.write_text(script(build_parser(), "bash"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model.keras").touch()
    (tmp_path / "modest").mkdir()
    return path


def run(program: str) -> subprocess.CompletedProcess:
    return subprocess.run([BASH, "--norc", "-c", program], capture_output=True, text=True)


@pytest.mark.parametrize("shell", SHELLS)
def test_every_shell_gets_a_script_that_names_the_commands(shell, capsys):
    assert main(["--print-completion", shell]) == 0
    made = capsys.readouterr()
    assert made.err == "" and "faults" in made.out and "print-completion" in made.out
    checker = shutil.which(shell)
    if checker and shell != "tcsh":  # which cannot be told to read without running
        done = subprocess.run([checker, "-n"], input=made.out, capture_output=True, text=True)
        assert (done.returncode, done.stderr) == (0, "")


COMPLETED = pytest.mark.parametrize("words, completed", [
    (["ch"], {"check"}), (["f"], {"fuzz", "faults"}),
    (["check", "--js"], {"--json"}), (["bench", "--batch"], {"--batch-size"}),
    (["bench", "--dataset", ""], {"fashion-mnist", "digits"}),
    (["record", "--dtype", "float"], {"float16", "float32", "float64"}),
    (["check", "--format", "gith"], {"github"}),
    (["check", "--model", "mod"], {"model.keras", "modest"}),
    (["debug", "mod"], {"model.keras", "modest"}),
    (["check", "--json", "mo"], {"model.keras", "modest"}),
    (["bench", "--out", "mo"], {"modest"}), (["fuzz", "--runs", "mo"], {"modest"}),
    (["check", "--nonsense"], set())])


@COMPLETED
def test_bash_completes(bash, words, completed):
    quoted = " ".join(f'"{word}"' for word in ["parity", *words])
    done = run(ASK.format(script=bash, words=quoted))
    assert done.stderr == ""
    assert set(done.stdout.split()) == completed


@COMPLETED
@pytest.mark.skipif(FISH is None, reason="fish is not installed")
def test_fish_completes(tmp_path, monkeypatch, words, completed):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model.keras").touch()
    (tmp_path / "modest").mkdir()
    (tmp_path / "completion").write_text(script(build_parser(), "fish"))
    asked = "source completion; complete -C (string join -- ' ' parity $argv)"
    done = subprocess.run([FISH, "--no-config", "-c", asked, *words], capture_output=True,
                          text=True)
    assert done.stderr == ""
    assert {line.split("\t")[0].rstrip("/") for line in done.stdout.splitlines()} == completed


@pytest.mark.skipif(sys.platform != "linux", reason="needs a pseudo-terminal as Linux has it")
@pytest.mark.parametrize("typed, line", [("rec", "record "), ("bench --out mode", "modest/")])
def test_a_person_presses_tab(bash, typed, line):
    """An interactive bash on a pseudo-terminal; the program itself is a stand-in that says what
    it was given."""
    import os
    import pty
    import select

    process, terminal = pty.fork()
    if process == 0:
        os.environ.update(PS1="ready> ", TERM="dumb", INPUTRC="/dev/null", HISTFILE="")
        os.execv(BASH, [BASH, "--norc", "--noprofile", "-i"])
    said = ""

    def until(end):
        nonlocal said
        while end not in said:
            if not select.select([terminal], [], [], 30)[0]:
                raise AssertionError(f"{end!r} did not come. Received: {said!r}")
            said += os.read(terminal, 4096).decode()
        said = said.partition(end)[2]

    try:
        until("ready> ")
        os.write(terminal, f"parity() {{ echo \"given:$*:end\"; }}; source {bash.name}\n".encode())
        until("ready> ")
        os.write(terminal, f"parity {typed}\t\n".encode())
        until("given:")
        until_line = typed.rpartition(" ")[0] + " " * (" " in typed) + line.strip()
        until(f"{until_line}:end")
    finally:
        os.write(terminal, b"exit\n")
        os.close(terminal)
        os.waitpid(process, 0)


def test_without_the_library_it_says_what_to_install(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "shtab", None)
    assert main(["--print-completion", "bash"]) == 2
    line, = capsys.readouterr().err.splitlines()
    assert "'shtab'" in line and line.endswith("Install it with: pip install shtab")
