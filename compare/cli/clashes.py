"""Outputs that would destroy inputs, or each other: refused before anything is read or run."""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from scratch.files.atomic import descriptor

READ = ("golden", "input", "outputs", "data_dir", "config")
# what no result is written over: programs, models, arrays, images. A network's module may import or
# read any of them, and a folder of data or of submissions is full of them.
PRECIOUS = (".py", ".pyi", ".ipynb", ".keras", ".h5", ".hdf5", ".npz", ".npy", ".gz", ".onnx",
            ".tflite", ".pt", ".pth", ".csv", ".pkl")
OWN_KIND = {"out": ".npz"}  # what `parity record` writes, it may write again


def refuse(args, written: Sequence[str], folders: Sequence[str]) -> None:
    """Refuse two outputs of one name, and an output that is also read.

    `--pytest` takes the place of nothing but a test that it has written itself: the file that it
    names may be imported by the one that makes the network.

    Args:
        args: the options.
        written, folders: which of them name a file to write, or a folder to write into.

    Raises:
        ValueError: naming both options and the path.
    """
    taken = {place(path): option for option, path in inputs(args)}
    clashing = []
    for name in (*written, *folders):
        path, option = getattr(args, name, None), f"--{name}"
        if not path or descriptor(path) is not None or is_device(path):
            continue
        other = taken.setdefault(place(path), option)
        if other != option:
            clashing.append((other, option, path))
    lost = [(f"--{name}", getattr(args, name)) for name in written
            if name != "pytest" and would_be_lost(name, getattr(args, name, None))]
    if any("--junit" in pair for pair in (*clashing, *lost)):
        args.junit = None  # which would else be written, with this error in it
    for other, option, path in clashing:
        raise ValueError(f"expected {option} to name a file of its own. Received: {path}, "
                         f"which is also what {other} names. Give another path")
    for option, path in lost:
        raise ValueError(f"expected {option} to name a new file, or a result of before. Received: "
                         f"{path}, which is there and by its name something else. Give another "
                         "path, or remove it first")
    if getattr(args, "pytest", None):
        require_own_test(args.pytest)


def inputs(args) -> Iterator[tuple[str, str | Path]]:
    """(option, path) of what is read: data, a model's file, or the module that makes one."""
    for name in READ:
        if getattr(args, name, None):
            yield f"--{name.replace('_', '-')}", getattr(args, name)
    spec = getattr(args, "model", None)
    if spec:
        yield "--model", spec
        for path in module_files(spec.partition(":")[0]):
            yield "--model", path


def module_files(module: str) -> list[Path]:
    """The files that `import module` may read, wherever they are found first."""
    inside = Path(*module.split(".")) if module.strip(".") else Path()
    places = [Path(folder or ".") / inside for folder in ("", *sys.path)]
    found = [file for stem in places for file in (stem.with_suffix(".py"), stem / "__init__.py")]
    return [file for file in found if file.is_file()]


def would_be_lost(name: str, path: str | None) -> bool:
    """Whether that option's file is there, and is by its name none that results are kept in."""
    kind = Path(path or "").suffix.lower()
    return (bool(path) and kind in PRECIOUS and kind != OWN_KIND.get(name)
            and Path(path or "").is_file())


def require_own_test(path: str) -> None:
    """Refuse a file that is there and was not written by `--pytest`.

    Raises:
        ValueError: naming it.
    """
    from compare.reduction.reproducer import MARK

    if not Path(path).is_file():
        return
    if MARK.encode() not in Path(path).read_bytes()[:1000]:
        raise ValueError(f"expected --pytest to name a new file, or one that it has written "
                         f"before. Received: {path}, which is something else. Give another path")


def is_device(path: str) -> bool:
    """Whether this is there and no file that could be lost: /dev/null, a terminal, a pipe."""
    there = Path(path)
    return there.exists() and not there.is_file() and not there.is_dir()


def place(path: str | Path) -> str:
    """Where a path leads, whatever its spelling; links are followed."""
    return str(Path(path).resolve())
