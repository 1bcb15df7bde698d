"""What runs in a submission's own process: it loads the file, and does with its objects as it is
told. Nothing of Keras's or of the expected numbers is in there.

It is run as a script by a plain interpreter and needs NumPy alone. What goes over the pipes are
texts of JSON and arrays without pickles, for a pickle of a stranger's could run anything. Either
side reads with `Decoder` what the other has written with `encode`.
"""

import copy
import importlib.abc
import importlib.util
import io
import json
import os
import struct
import sys
import traceback

import numpy as np

DEEPEST = 20  # lists in lists
LENGTH = struct.Struct(">Q")


class Encoder:
    """Values as JSON, arrays beside it.

    Args:
        reference: a function (object) -> what stands for an object that is neither.
    """

    def __init__(self, reference):
        self.reference, self.arrays = reference, []

    def value(self, value, depth=0):
        if value is None or isinstance(value, (bool, int, float, str)) and type(value) in PLAIN:
            return {"plain": value}
        if isinstance(value, (np.ndarray, np.generic)) and value.dtype.kind in "fiub":
            self.arrays.append(np.asarray(value))
            return {"array": len(self.arrays) - 1}
        if type(value) in (list, tuple) and depth < DEEPEST:
            return {type(value).__name__: [self.value(each, depth + 1) for each in value]}
        return self.reference(value)


PLAIN = (type(None), bool, int, float, str)


def message(header: dict, arrays) -> bytes:
    """The bytes of a message: the lengths of all pieces, then the pieces."""
    pieces = [json.dumps(header).encode()]
    for array in arrays:
        file = io.BytesIO()
        np.save(file, array, allow_pickle=False)
        pieces.append(file.getvalue())
    lengths = [LENGTH.pack(len(piece)) for piece in pieces]
    return LENGTH.pack(len(pieces)) + b"".join(lengths) + b"".join(pieces)


def received(read, largest: int) -> tuple[dict, list]:
    """(header, arrays) of the next message.

    Args:
        read: a function (count) -> so many bytes.
        largest: how many bytes a message may have.

    Raises:
        ValueError: for a larger one, or for what is none.
    """
    count, = LENGTH.unpack(read(LENGTH.size))
    if not 1 <= count <= 10_000:
        raise ValueError(f"Expected a message of some pieces. Received: {count}")
    lengths = [LENGTH.unpack(read(LENGTH.size))[0] for _ in range(count)]
    if sum(lengths) > largest:
        raise ValueError(f"Expected at most {largest:,} bytes. Received: {sum(lengths):,}")
    pieces = [read(length) for length in lengths]
    header = json.loads(pieces[0])
    return header, [np.load(io.BytesIO(piece), allow_pickle=False) for piece in pieces[1:]]


def decoded(value: dict, arrays: list, reference):
    """The value again; `reference` makes something of what stands for an object."""
    (kind, held), = ((kind, held) for kind, held in value.items() if kind in KINDS)
    if kind == "plain":
        return held
    if kind == "array":
        return arrays[held]
    if kind in ("list", "tuple"):
        values = [decoded(each, arrays, reference) for each in held]
        return values if kind == "list" else tuple(values)
    return reference(value)


KINDS = ("plain", "array", "list", "tuple", "object")


class Refusing(importlib.abc.MetaPathFinder):
    """Finds no module of these names, and says that the exercise does not allow them."""

    def __init__(self, names):
        self.names = frozenset(names)

    def find_spec(self, fullname, path=None, target=None):
        if fullname.split(".")[0] in self.names:
            raise ImportError(f"the exercise does not allow {fullname.split('.')[0]!r}")
        return None


class Server:
    """The submission's objects by number; 0 is its module."""

    def __init__(self):
        self.objects = []
        self.numbers = {}

    def load(self, path, forbidden):
        sys.meta_path.insert(0, Refusing(forbidden))
        sys.path.insert(0, os.path.dirname(path))
        spec = importlib.util.spec_from_file_location("submission", path)
        module = importlib.util.module_from_spec(spec)
        sys.modules["submission"] = module
        spec.loader.exec_module(module)
        return module

    def get(self, number, name):
        return getattr(self.objects[number], name)

    def set(self, number, name, value):
        """In place where that fits, so that other names for the array follow."""
        current = getattr(self.objects[number], name, None)
        if not fill(current, value):
            setattr(self.objects[number], name, value)

    def item(self, number, key):
        return self.objects[number][key]

    def set_item(self, number, key, value):
        if not fill(self.objects[number][key], value):
            self.objects[number][key] = value

    def keys(self, number):
        return list(self.objects[number])

    def names(self, number):
        return list(vars(self.objects[number]))

    def call(self, number, *arguments):
        return self.objects[number](*arguments)

    def copy(self, number):
        return copy.deepcopy(self.objects[number])

    def known(self, thing):
        """What stands for an object on the way."""
        number = self.numbers.setdefault(id(thing), len(self.objects))
        if number == len(self.objects):
            self.objects.append(thing)  # and there it stays, so that its id stays its own
        return {"object": number, "class": type(thing).__name__, "dict": isinstance(thing, dict)}

    def answer(self, header, arrays):
        values = [decoded(value, arrays, lambda value: self.objects[value["object"]])
                  for value in header["arguments"]]
        made = getattr(self, header["what"])(*values)
        encoder = Encoder(self.known)
        return {"value": encoder.value(made)}, encoder.arrays


def fill(current, value) -> bool:
    """Put an array into another one, if it fits."""
    fits = isinstance(current, np.ndarray) and isinstance(value, np.ndarray) \
        and current.dtype.kind == "f" and current.shape == value.shape and current.flags.writeable
    if fits:
        current[...] = value
    return fits


def told(error: BaseException, path: str) -> dict:
    """An error as a message: its type, its text, and the line of the submission that it is from."""
    own = [frame for frame in traceback.extract_tb(error.__traceback__)
           if os.path.abspath(frame.filename) == path]
    if isinstance(error, SyntaxError) and error.filename == path:
        where = f"line {error.lineno}: {(error.text or '').strip()}"
    else:
        where = f"line {own[-1].lineno}: {own[-1].line}" if own else ""
    return {"error": {"type": type(error).__name__, "text": str(error)[:2000], "where": where}}


def serve(path: str) -> None:
    """Answer messages on standard input until it is closed."""
    commands, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)  # whoever asks for input gets none
    os.dup2(2, 1)  # what the submission prints is kept apart from the answers
    server = Server()
    while True:
        def read(count):
            found = commands.read(count)
            if len(found) < count:
                os._exit(0)  # nobody asks any more
            return found

        header, arrays = received(read, sys.maxsize)
        try:
            answer = message(*server.answer(header, arrays))
        except BaseException as error:  # sys.exit() in a submission ends nothing here
            answer = message(told(error, path), [])
        sys.stdout.flush()  # what the submission printed is there before its answer
        answers.write(answer)
        answers.flush()


if __name__ == "__main__":
    serve(sys.argv[1])
