"""A generator that runs in a Python process of its own, one item at a time.

Each side of a benchmark has such a process: so its memory is its own, the NumPy side never loads
TensorFlow, and the two take turns because each waits after an item until it is asked for the next.

The process is started as a plain interpreter, not through multiprocessing's 'spawn', which would
run the caller's main script again, with whatever that imports. Commands and items are pickles on
its standard input and output. It lives in a process group of its own, so that Ctrl-C is the
parent's affair alone, and it ends when the parent does: on Linux at once, elsewhere when it next
writes into a pipe that nobody reads.
"""

import os
import pickle
import signal
import subprocess
import sys
import tempfile
import traceback
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from compare.document.child_process import end_with_parent, hold_back_in, last_words

GO, NEXT = b"g", b"n"


class Interim:
    """Base of items that tell how far a generator is: they answer no question."""


class WorkerError(RuntimeError):
    """A worker failed or vanished; `details` is its traceback, if it left one."""

    def __init__(self, message: str, details: str = ""):
        super().__init__(message)
        self.details = details


@dataclass
class Failure:
    """What a worker sends instead of an item when its generator raises."""

    error: Exception | None  # None if it cannot be pickled
    message: str
    details: str


@dataclass
class Finished:
    """What a worker sends when its generator has nothing more."""


class Worker:
    """Runs `function(argument)`, a generator, in another process.

    Args:
        name: for error messages.
        function: importable by its name, as pickle needs it.
        argument: picklable.
    """

    def __init__(self, name: str, function: Callable, argument):
        self.name = name
        # sys.path goes along, as in multiprocessing: what is importable here is importable there.
        self._held = tempfile.TemporaryFile()
        program = (f"import sys; sys.path[:] = {sys.path!r}; from compare.experiments.execution"
                   f".worker_process import serve; serve({self._held.fileno()})")
        # a group of its own keeps Ctrl-C away from the worker; the parent decides what it means
        apart: dict[str, Any] = {"start_new_session": True, "pass_fds": [self._held.fileno()]}
        if sys.platform == "win32":
            apart = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
        self.process = subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, **apart)
        assert self.process.stdin is not None and self.process.stdout is not None  # both are pipes
        self._commands, self._items = self.process.stdin, self.process.stdout
        try:
            self._send(pickle.dumps((function, argument)))
        except BaseException:
            self.stop()
            raise

    def ask(self, on_progress: Callable[[Interim], None] | None = None):
        """The next item that is no Interim; each Interim before it goes to `on_progress`.

        Returns None when there are no more items.

        Raises:
            WorkerError: if the process ended, or failed in a way that cannot be sent.
            Exception: whatever the generator raised.
        """
        self._send(GO)
        while True:
            item = self._receive()
            if isinstance(item, Interim):
                if on_progress:
                    on_progress(item)
            elif isinstance(item, Finished):
                return None
            elif isinstance(item, Failure):
                raise item.error or WorkerError(f"{self.name}: {item.message}", item.details)
            else:
                return item

    def take(self, function: Callable, argument) -> None:
        """Give it another generator to run, in the same process, in place of the one before.

        Raises:
            WorkerError: if the process ended.
        """
        self._send(NEXT + pickle.dumps((function, argument)))

    def stop(self) -> None:
        """End the process, whatever it is doing. May be called twice."""
        self.process.kill()
        self._items.close()
        try:
            self._commands.close()
        except OSError:  # what was still in its buffer cannot be delivered any more
            pass
        self.process.wait()
        self._held.close()

    def __enter__(self) -> "Worker":
        return self

    def __exit__(self, *exception) -> None:
        self.stop()

    def _send(self, data: bytes) -> None:
        try:
            self._commands.write(data)
            self._commands.flush()
        except BrokenPipeError:
            raise self._vanished() from None

    def _receive(self):
        try:
            return pickle.load(self._items)
        except (EOFError, pickle.UnpicklingError):
            raise self._vanished() from None

    def _vanished(self) -> WorkerError:
        code = self.process.wait()
        how = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
        self._held.seek(0)
        said = last_words(self._held.read())
        return WorkerError(f"the process of {self.name} {how} before it was done"
                           + (f", while a library was starting that said: {said}" if said else ""))


def serve(held: int) -> None:
    """What the worker's process runs: take a task from standard input and send its items.

    Args:
        held: the descriptor of a file for what is said by a library that ends this process.
    """
    if sys.platform != "win32":  # which hands over no descriptors, and has no such signal
        end_with_parent(signal.SIGKILL)
        hold_back_in(held)
    channel = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever is printed from here on must not get between the items
    # a number that overflows in one of NumPy's threads ends as a loss that stops the training
    warnings.filterwarnings("ignore", category=RuntimeWarning)
    commands = sys.stdin.buffer
    try:
        function, argument = pickle.load(commands)
        items = iter(function(argument))
        while command := commands.read(1):
            if command == NEXT:
                function, argument = pickle.load(commands)
                items = iter(function(argument))
            else:
                send_until_pause(items, channel)
    except (BrokenPipeError, EOFError):
        pass  # the parent is gone
    # Nothing is flushed or torn down: there may be nobody left to read, and TensorFlow takes a
    # second to say goodbye.
    os._exit(0)


def send_until_pause(items, channel) -> None:
    """Send items up to one that the parent has to answer, or what ended them."""
    item: Any = Finished()
    try:
        for item in items:
            if not isinstance(item, Interim):
                break
            write(channel, item)
        else:
            item = Finished()
    except BrokenPipeError:
        raise
    except Exception as error:
        item = failure(error)
    write(channel, item)


def failure(error: Exception) -> Failure:
    """The error as something that can be sent: as itself if it survives pickling."""
    details = "".join(traceback.format_exception(error))
    message = f"{type(error).__name__}: {error}"
    if not isinstance(error, (ArithmeticError, ValueError, OSError)):
        return Failure(None, message, details)
    try:
        sent = pickle.loads(pickle.dumps(error))
    except Exception:  # a constructor with other arguments than the message
        sent = None
    return Failure(sent, message, details)


def write(channel, item) -> None:
    channel.write(pickle.dumps(item))
    channel.flush()
