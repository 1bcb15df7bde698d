"""Every error that the command line can meet: one line, what was expected and what came, and at its
end what to do next; exit code 2, nothing on standard output, and no traceback."""

import json
import sys
import zipfile

import numpy as np
import pytest

from compare.cli import COMMANDS, main
from compare.cli.errors import with_advice

STARTING = "Starting TensorFlow ..."
MODULE = """
import scratch


def network(units):
    scratch.set_random_seed(units)
    model = scratch.Sequential([scratch.Input((6, 5, 2)), scratch.Flatten(),
                                scratch.Dense(units, activation="softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy")
    return model


def right(): return network(4)
def other(): return network(3)
def raises(): raise RuntimeError("not today.")
def nothing(): return None
def numbers(): return 1, 2
def unbuilt(): return scratch.Sequential([scratch.Dense(3)])


def heavier():
    model = network(4)
    model.set_weights([weight + 1 for weight in model.get_weights()])
    return model


def unlike():
    import keras

    return network(4), keras.Sequential([
        keras.Input((7, 5, 2)), keras.layers.Flatten(), keras.layers.Dense(4)])


def unlisted():
    import keras

    return [None, None], keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])


def recurrent():
    import keras

    return keras.Sequential([keras.Input((5, 3)), keras.layers.RNN(keras.layers.GRUCell(2))])


def input_handed_on():
    import keras

    a = keras.Input((3,))
    return keras.Model(a, [keras.layers.Dense(2)(a), a])
"""
GZ = ("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz", "t10k-images-idx3-ubyte.gz",
      "t10k-labels-idx1-ubyte.gz")

PATH = "or --model module:callable, a function that returns a model"
RETURNS = "a layer from compare.wrap, or the pair to compare"
UNSUPPORTED = ("parity support; what stands for a layer or a function of your own is given with "
               "--custom-objects FILE.py")
BATCH = "y_1= and so on, or leave --input out to have one drawn"
PAIR = "Give two networks that take the same inputs and give the same outputs"
FILES = "found or downloaded, or use --dataset digits, which needs no files"
DATASET = "Use --dataset fashion-mnist, or --dataset digits without --data-dir"
RECORD = "Record it again: parity record --out FILE.npz"
GOLDEN = ("Give --model FILE.keras, or module:callable that returns a scratch model, or leave it "
          "out")
SEEDS = "Say how many pairs of runs with --seeds K"
LIMIT = "Give smaller --limit and --test-limit, or leave them out"
MAKE_IT = "Make it first, or give another path."
SCHEDULER = "Give the one that `dask scheduler` prints"
CAMPAIGN = "bench --seeds 2 --dataset digits "

# (command, part of what is said before, the end of the line)
ERRORS = [
    # how it is called
    ("dance", "invalid choice: 'dance'", "Try: parity --help"),
    ("--nope", "unrecognized arguments: --nope", "Try: parity --help"),
    ("--print-completion cmd", "invalid choice: 'cmd'", "Try: parity --help"),
    *((f"{command} --nope", "--nope", f"Try: parity {command} --help")
      for command in COMMANDS if command not in ("record", "grade")),
    ("check --batch 0", "expected a positive integer. Received: 0", "Try: parity check --help"),
    ("check --format papyrus", "'papyrus'", "Try: parity check --help"),
    ("record", "are required: --out", "Try: parity record --help"),
    ("bench --learning-rate nan", "Received: nan", "Try: parity bench --help"),
    ("bench --network deep", "'deep'", "Try: parity bench --help"),
    ("bench --dataset cifar", "Received: 'cifar'", "Try: parity bench --help"),
    ("speed --parts all", "Received: all", "Try: parity speed --help"),
    ("speed --batch-sizes 1;2", "Received: 1;2", "Try: parity speed --help"),
    # the model
    ("check --model gone.keras", "Received: gone.keras, which is no file", PATH),
    ("check --model text.keras", "text.keras: expected a model saved by Keras", PATH),
    ("check --model bare.keras", "saved by Keras, with a member config.json", PATH),
    ("check --model list.keras", "list.keras: expected a model saved by Keras", PATH),
    ("check --model compiled.keras", "a compile_config that is no dictionary: 3", PATH),
    ("check --model weightless.keras", "weightless.keras: expected a model saved by Keras", PATH),
    ("check --model x.h5", "Received: x.h5, which is no file", PATH),
    ("check --model their", "Received: 'their'", PATH),
    ("check --model their:", "Expected module:callable. Received: 'their:'", PATH),
    ("check --model gone:f", "module 'gone' that can be imported. Received: ModuleNotFoundError",
     "Run it from the folder that holds the module, or put that folder on PYTHONPATH"),
    ("check --model their:gone", "'gone' in module 'their'. Received: nothing of that name",
     "Name a function in it that returns a model"),
    ("check --model their:raises", "Received: RuntimeError: not today. See",
     "python -c 'import their; their.raises()'"),
    ("check --model their:nothing", "Received: NoneType", RETURNS),
    ("check --model their:numbers", "Received: int and int", RETURNS),
    ("check --model their:unlisted", "Expected 1 layers, one for each of Dense. Received: 2",
     RETURNS),
    ("check --model their:unbuilt", "Received one without an Input", "build it first."),
    ("check --model their:recurrent", "Layer 'rnn' is of class RNN", UNSUPPORTED),
    ("check --model their:input_handed_on", "expected outputs that layers make", UNSUPPORTED),
    ("check --model their:unlike", "(None, 7, 5, 2). Received: (8, 6, 5, 2)", PAIR),
    ("debug their:gone", "nothing of that name", "Name a function in it that returns a model"),
    ("debug their:right --model their:right", "expected the network once",
     "Leave one of the two out"),
    # the batch
    *((f"check --model their:right --input {name}.npz", says, BATCH) for name, says in (
        ("gone", "--input: expected a .npz file. Received: gone.npz"),
        ("empty", "empty.npz, which cannot be read"),
        ("unnamed", "expected arrays named x and y. Received: a"),
        ("shape", "(None, 6, 5, 2). Received: (2, 4)"),
        ("label", "from 0 to 3. Received: 9"), ("nan", "Expected finite inputs. Received: nan"),
        ("words", "expected real numbers in x and y. Received: y of dtype <U1"),
        ("complex", "Received: x of dtype complex128"))),
    # the images
    ("check --dataset cifar", "Received: 'cifar'", DATASET),
    ("check --dataset digits --data-dir .", "Received: data_dir='.'", DATASET),
    ("check --data-dir gone", "'gone', which is not a folder that exists", FILES),
    ("bench --data-dir few", "lacks t10k-labels-idx1-ubyte.gz", FILES),
    ("bench --data-dir broken", "is not the published file of Fashion-MNIST. Expected: 26421880",
     "Download the original, or pass another folder as --data-dir."),
    ("check --dataset digits --batch 100000", "at most the 297 test images",
     "Give a smaller --batch"),
    ("bench --dataset digits --limit 1501", "Received: 1501", LIMIT),
    ("bench --dataset digits --test-limit 298", "Received: 298", LIMIT),
    # what is written
    ("check --json gone/x.json", "--json: expected a file in a directory that exists", MAKE_IT),
    ("check --html their.py/x", "--html: expected a file in a directory that exists", MAKE_IT),
    ("check --junit few", "which is a directory", "Give the path of a file in it."),
    ("debug their:right --pytest gone/t.py", "--pytest: expected a file", MAKE_IT),
    ("record --out gone/g.npz", "--out: expected a file", MAKE_IT),
    *((f"{command} their.py", ": expected a directory. Received: their.py, which is a file",
       "Give another path.")
      for command in ("bench --out", "debug --out", "faults --out", "speed --out", "fuzz --keep",
                      "fuzz --runs", CAMPAIGN + "--runs")),
    # a recorded trace
    ("check --golden gone.npz", "Received: gone.npz, which is no file", RECORD),
    ("check --golden shape.npz", "does not end in the SHA-256 of its contents", RECORD),
    ("check --golden gone.npz --seed 3", "with --golden", "Received: --seed. Leave it out"),
    ("check --golden gone.npz --seed 3 --batch 2", "with --golden", "--batch, --seed. Leave them "
     "out"),
    ("check --golden golden.npz --model their:nothing", "Received: NoneType", GOLDEN),
    ("check --golden golden.npz --model gone.keras", "Received: gone.keras, which is no file",
     GOLDEN),
    ("check --golden golden.npz --model their:other", "from 0 to 2. Received: 3",
     "Record a trace of this very model, or give the one that was recorded"),
    # runs and where they run
    ("bench --resume", "expected --seeds with --resume", SEEDS),
    ("bench --jobs 2", "expected --seeds with --resume, --jobs", SEEDS),
    ("fuzz --resume", "expected --runs with --resume", "with --runs DIR"),
    ("fuzz --runs finished", "Received one with results", "to keep them, or choose another"),
    ("fuzz --runs damaged --resume", "damaged/campaign.json: expected JSON",
     "Choose another directory"),
    (CAMPAIGN + "--margin nan", "margin to be a finite number above 0. Received: nan",
     "Try: parity bench --help"),
    ("fuzz --address x:1", "Received: local", "Add --backend dask, or leave --address out"),
    ("fuzz --backend dask", "expected --address with --backend dask", "the address that it prints"),
    ("fuzz --backend dask --address here", "Received: here", SCHEDULER),
    ("fuzz --backend dask --address tcp://here:99999", "Received: tcp://here:99999", SCHEDULER),
    ("fuzz --backend dask --address tcp://here:1", "Expected a dask scheduler at tcp://here:1. "
     "Received: nobody answers", "or leave --backend out to stay on this machine"),
    ("fuzz --backend ray", "Expected the library 'ray' for --backend ray",
     "Install it with: pip install ray"),
    ("faults --only no-such", "Received: 'no-such'", "See which there are: parity faults --list"),
    ("speed --competitors torch", "expected a competitor that is installed. Received: torch",
     "Install it, as with `pip install torch`, or leave --competitors out"),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory, keras):
    """A folder with everything in it that may be wrong."""
    folder = tmp_path_factory.mktemp("errors")
    (folder / "their.py").write_text(MODULE)
    (folder / "text.keras").write_text("hello")
    dense = {"class_name": "Dense", "module": "keras.layers", "config": {"units": 2, "name": "d"}}
    start = {"class_name": "InputLayer", "module": "keras.layers",
             "config": {"batch_shape": [None, 3], "name": "i"}}
    saved = {"class_name": "Sequential", "module": "keras",
             "config": {"name": "s", "layers": [start, dense]}}
    for name, config in (("list", []), ("weightless", saved),
                         ("compiled", {**saved, "compile_config": 3})):
        with zipfile.ZipFile(folder / f"{name}.keras", "w") as archive:
            archive.writestr("config.json", json.dumps(config))
            if name != "weightless":
                archive.writestr("model.weights.h5", b"")
    with zipfile.ZipFile(folder / "bare.keras", "w") as archive:
        archive.writestr("other", "")
    (folder / "empty.npz").touch()
    x, y = np.zeros((2, 6, 5, 2)), np.zeros(2, int)
    for name, arrays in (("unnamed", {"a": x}), ("shape", {"x": np.zeros((2, 4)), "y": y}),
                         ("label", {"x": x, "y": y + 9}), ("nan", {"x": x * np.nan, "y": y}),
                         ("words", {"x": x, "y": np.array(["a", "b"])}),
                         ("complex", {"x": x.astype(complex), "y": y})):
        np.savez(folder / f"{name}.npz", **arrays)
    for name, count in (("few", 3), ("broken", 4)):
        (folder / name).mkdir()
        for file in GZ[:count]:
            (folder / name / file).write_bytes(b"x")
    (folder / "finished").mkdir()
    (folder / "finished" / "campaign.json").write_text(
        json.dumps({"asked": {"kind": "fuzz", "seed": 0}}))
    (folder / "finished" / "result-a.json").write_text('{"key": "a", "result": []}')
    (folder / "damaged").mkdir()
    (folder / "damaged" / "campaign.json").write_text("{")
    return folder


@pytest.fixture
def there(folder, monkeypatch):
    """That folder is the current one, without optional libraries, and no cluster answers."""
    def nobody(*args, **options):
        raise OSError("nobody answers")

    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "path", [str(folder), *sys.path])
    for name in ("torch", "ray"):
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setattr("distributed.Client", nobody)
    yield folder
    sys.modules.pop("their", None)


@pytest.fixture
def golden(there, capsys):
    if not (there / "golden.npz").exists():
        assert main(["record", "--model", "their:right", "--out", "golden.npz"]) == 0
        capsys.readouterr()


@pytest.mark.parametrize("command, says, ends", ERRORS, ids=[error[0] for error in ERRORS])
def test_an_error_says_what_came_and_what_to_do_next(there, golden, capsys, command, says, ends):
    assert main(command.split()) == 2
    out, err = capsys.readouterr()
    assert out == ""
    *others, line = err.splitlines()
    assert others in ([], [STARTING]), others
    name = command.split()[0] if command.split()[0] in COMMANDS else ""
    assert line.startswith(f"parity {name}".strip() + ": error: "), line
    assert says in line, line
    assert line.endswith(ends), line
    assert line.index(says) < line.rindex(ends), line


def test_other_weights_than_the_recorded_ones_are_no_error_but_no_parity(golden, capsys):
    assert main(["check", "--golden", "golden.npz", "--model", "their:heavier"]) == 1
    out, err = capsys.readouterr()
    assert err == "" and "First at gate 'weights'" in " ".join(out.split())


@pytest.mark.parametrize("message, line", [
    ("expected a. Received: b", "expected a. Received: b. ADVICE"),
    ("Expected a. Received: b.", "Expected a. Received: b. ADVICE"),
    ("Received: x.npz; remove the file", "Received: x.npz; remove the file"),
    ("Received none: build it first.", "Received none: build it first."),
    ("Received: b. Give file.npz instead.", "Received: b. Give file.npz instead."),
    # words that begin like advice but are not the end, or stand within a sentence
    ("Take it. Received: b", "Take it. Received: b. ADVICE"),
    ("expected the use of a. Received: b", "expected the use of a. Received: b. ADVICE")])
def test_advice_is_added_where_there_is_none(message, line):
    assert with_advice("parity check", ValueError(message), "ADVICE") == line
    error = ValueError(message)
    error.advice = "ADVICE"
    assert with_advice("parity check", error) == line
