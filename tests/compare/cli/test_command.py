"""The command's frame: help, versions, bad usage and bad input in one line each."""

import subprocess
import sys
from pathlib import Path

import pytest

from compare import cli
from compare.cli import errors, main

ROOT = Path(__file__).parents[3]
FILES = ("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz",
         "t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz")


def run(capsys, *argv):
    """(exit code, standard output, lines of standard error)."""
    code = main([str(arg) for arg in argv])
    captured = capsys.readouterr()
    return code, captured.out, captured.err.splitlines()


def assert_refused(capsys, *argv, says):
    code, out, lines = run(capsys, *argv)
    assert code == 2 and out == ""
    assert len(lines) == 1, lines
    assert lines[0].startswith("parity bench: error: ")
    assert says in lines[0]


def test_the_command_alone_prints_its_help_and_is_no_verdict(capsys):
    code, out, lines = run(capsys)
    told = "\n".join(lines)
    assert code == 2 and out == ""
    assert "usage: parity" in told and "bench" in told and "check" in told


def test_help_and_version(capsys):
    assert run(capsys, "--help")[0] == 0
    code, out, _ = run(capsys, "bench", "--help")
    assert code == 0 and "--learning-rate" in out and "--quick" in out
    code, out, _ = run(capsys, "--version")
    assert code == 0 and out.startswith("parity ")


@pytest.mark.sampled(4)
@pytest.mark.parametrize("argv", [["--help"], ["bench", "--help"], ["bench", "--epochs", "x"],
                                  ["bench", "--dataset", "cifar"]])
def test_what_needs_no_library_loads_none(argv):
    program = ("import sys; from compare.cli import main; code = main(sys.argv[1:]); "
               "sys.stderr.write('LOADED' + ' '.join(m for m in "
               "('tensorflow', 'keras', 'matplotlib', 'sklearn') if m in sys.modules)); "
               "sys.exit(code)")
    done = subprocess.run([sys.executable, "-c", program, *argv], capture_output=True, text=True,
                          cwd=ROOT)
    assert done.returncode == (0 if "--help" in argv else 2)
    assert done.stderr.endswith("LOADED"), done.stderr


@pytest.mark.parametrize("options, says", [
    (["--epochs", "0"], "Received: 0"),
    (["--epochs", "-3"], "Received: -3"),
    (["--batch-size", "0"], "Received: 0"),
    (["--batch-size", "-1"], "Received: -1"),
    (["--batch-size", "many"], "Received: many"),
    (["--batch-size", "1.5"], "Received: 1.5"),
    (["--learning-rate", "nan"], "Received: nan"),
    (["--learning-rate", "-0.1"], "Received: -0.1"),
    (["--learning-rate", "inf"], "Received: inf"),
    (["--learning-rate", "fast"], "Received: fast"),
    (["--limit", "0"], "Received: 0"),
    (["--seed", "-1"], "Received: -1"),
    (["--format", "papyrus"], "papyrus"),
    (["--dataset", "cifar"], "'cifar'"),
    (["--dataset", "digits", "--limit", "1501"], "at most 1500"),
    (["--dataset", "digits", "--test-limit", "298"], "at most 297"),
    (["--dataset", "digits", "--data-dir", "."], "read from no folder"),
    (["--unknown"], "--unknown"),
])
def test_bad_options(capsys, options, says):
    assert_refused(capsys, "bench", *options, says=says)


def test_a_data_directory_that_is_missing(capsys, tmp_path):
    assert_refused(capsys, "bench", "--data-dir", tmp_path / "nowhere", says="nowhere")


def test_a_data_directory_that_lacks_a_file(capsys, tmp_path):
    for name in FILES[:3]:
        (tmp_path / name).write_bytes(b"x")
    assert_refused(capsys, "bench", "--data-dir", tmp_path, says=FILES[3])


def test_data_that_are_damaged(capsys, tmp_path):
    for name in FILES:
        (tmp_path / name).write_bytes(b"\x1f\x8b no gzip at all")
    assert_refused(capsys, "bench", "--data-dir", tmp_path, says=FILES[0])


def test_labels_outside_the_classes(capsys, monkeypatch):
    """No published file has them, so the loader is made to meet some."""
    from compare.inputs import datasets
    from compare.inputs.datasets.idx import check_labels

    def load(*args, **kwargs):
        import numpy as np
        check_labels(np.array([3, 10, 4]), 10, "labels.gz")

    monkeypatch.setattr(datasets, "load", load)
    assert_refused(capsys, "bench", says="Received: 10 at position 1")


def test_outputs_that_cannot_be_written_are_refused_before_training(capsys, tmp_path):
    (tmp_path / "file").touch()
    assert_refused(capsys, "bench", "--out", tmp_path / "file", says="which is a file")
    assert_refused(capsys, "bench", "--out", tmp_path / "file" / "x", says="--out")
    assert_refused(capsys, "bench", "--json", tmp_path, says="which is a directory")
    assert_refused(capsys, "bench", "--json", tmp_path / "no" / "x", says="no directory")


@pytest.mark.parametrize("options, epochs, limit", [
    ([], 3, None), (["--quick"], 1, 1500), (["--quick", "--epochs", "2"], 2, 1500),
    (["--quick", "--limit", "9"], 1, 9), (["--limit", "9"], 3, 9)])
def test_defaults_are_the_published_settings_and_quick_is_less(options, epochs, limit):
    from compare.cli import bench

    chosen = bench.choose(cli.build_parser().parse_args(["bench", *options]))
    assert (chosen.epochs, chosen.limit) == (epochs, limit)
    assert (chosen.dataset, chosen.batch_size, chosen.learning_rate) == ("fashion-mnist", 1, 0.005)
    assert chosen.test_limit is None


def test_the_wide_network_is_trained_as_its_own_protocol_says():
    from compare.cli import bench
    from compare.inputs import training_protocols

    chosen = bench.choose(cli.build_parser().parse_args(["bench", "--network", "wide"]))
    assert (chosen.epochs, chosen.batch_size, chosen.learning_rate) == (30, 1000, 1e-3)
    model = training_protocols.build("wide", (28, 28, 1), 10, chosen.learning_rate, seed=0)
    assert model.count_params() == 83_466 and type(model.optimizer).__name__ == "Adam"


def test_an_unknown_command(capsys):
    code, out, lines = run(capsys, "dance")
    assert code == 2 and out == "" and len(lines) == 1
    assert lines[0].startswith("parity: error: ") and "dance" in lines[0]


def guard(error):
    def fail(args):
        raise error
    return errors.guarded("parity test", fail, None)


@pytest.mark.parametrize("error, line", [
    (ValueError("one\n  two"), "parity test: error: one two. Try: parity test --help"),
    (FileNotFoundError(2, "No such file or directory", "x.npz"),
     "parity test: error: x.npz: No such file or directory. Try: parity test --help"),
    (OSError(28, "No space left on device"),
     "parity test: error: standard output: No space left on device. Try: parity test --help"),
    (ValueError(), "parity test: error: ValueError. Try: parity test --help"),
    (ValueError("expected a. Received: b. Give c.d instead"),
     "parity test: error: expected a. Received: b. Give c.d instead"),
    (ValueError("use of a. Received: b"),
     "parity test: error: use of a. Received: b. Try: parity test --help"),
])
def test_expected_errors_take_one_line(capsys, error, line):
    assert guard(error) == 2
    assert capsys.readouterr().err == line + "\n"


def test_bugs_are_no_verdict_and_not_hidden(capsys, monkeypatch):
    assert guard(KeyError("bug")) == 2
    said = capsys.readouterr().err
    assert said.startswith("parity test: error: unexpected KeyError: 'bug' (test_command.py, line ")
    assert said.count("\n") == 1 and "Traceback" not in said
    monkeypatch.setenv("PARITY_TRACEBACK", "1")
    assert guard(KeyError("bug")) == 2 and "Traceback" in capsys.readouterr().err


def test_ctrl_c_is_no_traceback(capsys):
    assert guard(KeyboardInterrupt()) == 130
    assert capsys.readouterr().err == "parity test: interrupted\n"


def test_a_reader_that_leaves_early_is_no_error():
    program = ("import sys; from compare.cli.errors import guarded; "
               "sys.exit(guarded('p', lambda args: [print('line') for _ in range(100000)], None))")
    process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True, cwd=ROOT)
    process.stdout.readline()
    process.stdout.close()
    assert process.stderr.read() == ""
    process.stderr.close()
    assert process.wait() == errors.PIPE_CLOSED


def test_every_subcommand_is_there():
    actions = cli.build_parser()._subparsers._group_actions[0].choices
    assert list(actions) == list(cli.COMMANDS)
