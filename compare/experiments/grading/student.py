"""A submission's process: started with limits of time and memory, asked, and ended."""

import contextlib
import math
import os
import select
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from compare.experiments.grading import remote, serving

LARGEST = 1 << 30  # bytes of one answer
PRINTED = 2000  # characters of what a submission prints that are kept
WRITTEN = 64 << 20  # bytes that it may write into one file
GIGABYTE = 1 << 30

# What makes a submission's arrays a matter of one core, and its process of known size.
SETTINGS = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1",
            "PYTHONDONTWRITEBYTECODE": "1", "PYTHONHASHSEED": "0"}


class SubmissionError(Exception):
    """Something that a submission raised, or that its process came to."""


class Student(contextlib.AbstractContextManager):
    """The process of one submission.

    It is no prison: it has the rights of whoever grades, and may read files and open sockets. It
    cannot reach the numbers that it is held against, which are in another process.

    Args:
        path: its Python file.
        seconds: how long it may take in all, from its start on.
        memory: how many gigabytes of address space it may use; None for no limit.
        forbidden: modules that it may not import.

    Attributes:
        ended: why there is no process any more: 'took longer than 60 s'; '' while there is one.
    """

    def __init__(self, path: Path, seconds: float, memory: float | None, forbidden: tuple) -> None:
        self.path, self.seconds, self.forbidden = path.resolve(), seconds, forbidden
        self.ended = ""
        self._limit = memory
        self._printed = b""
        self._folder = tempfile.TemporaryDirectory()
        self.deadline = time.monotonic() + seconds
        self.process = subprocess.Popen(
            [sys.executable, "-I", serving.__file__, str(self.path)], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
            cwd=self._folder.name, preexec_fn=self._limited,
            env={"PATH": os.environ.get("PATH", ""), "HOME": self._folder.name, **SETTINGS})
        assert self.process.stdin is not None and self.process.stdout is not None  # both are pipes
        self._commands, self._answers = self.process.stdin, self.process.stdout
        os.set_blocking(self._commands.fileno(), False)
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def _listen(self) -> None:
        """Read what is printed, however much it is, and keep the end of it."""
        assert self.process.stderr is not None
        with contextlib.suppress(OSError, ValueError):  # closed meanwhile
            while piece := os.read(self.process.stderr.fileno(), 1 << 16):
                self._printed = (self._printed + piece)[-4 * PRINTED:]

    def _limited(self) -> None:
        """In the new process, before anything runs in it."""
        import resource

        resource.setrlimit(resource.RLIMIT_FSIZE, (WRITTEN, WRITTEN))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        # more than it can use in time: for the case that nobody is left to end it
        busy = min(math.ceil(self.seconds * (os.cpu_count() or 1)) + 1, 2**31)
        resource.setrlimit(resource.RLIMIT_CPU, (busy, busy))
        if self._limit is not None:
            size = int(self._limit * GIGABYTE)
            resource.setrlimit(resource.RLIMIT_AS, (size, size))

    def module(self):
        """The submission's module, run; see `remote`.

        Raises:
            SubmissionError: if it does not run to its end.
        """
        return self.ask("load", str(self.path), list(self.forbidden))

    def ask(self, what: str, *arguments):
        """What the process answers.

        Raises:
            SubmissionError: for an error in it, under its own name, and once the process is gone.
        """
        if self.ended:
            raise SubmissionError(f"the submission {self.ended}")
        encoder = serving.Encoder(remote.reference)
        header = {"what": what, "arguments": [encoder.value(value) for value in arguments]}
        try:
            self._write(serving.message(header, encoder.arrays))
            answer, arrays = serving.received(self._read, LARGEST)
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            self._end(f"answered something else than an answer: {error}")
        except BrokenPipeError:
            self._end(self._death())
        if "error" in answer:
            raise remote.raised(answer["error"], SubmissionError)
        return serving.decoded(answer["value"], arrays,
                               lambda value: remote.thing(self, value))

    def _write(self, data: bytes) -> None:
        left = memoryview(data)
        while left:
            _, ready, _ = select.select([], [self._commands], [], self._time_left())
            if not ready:
                self._end(f"took longer than {self.seconds:g} s")
            with contextlib.suppress(BlockingIOError):
                left = left[os.write(self._commands.fileno(), left[:1 << 16]):]

    def _read(self, count: int) -> bytes:
        pieces = []
        while count:
            ready, _, _ = select.select([self._answers], [], [], self._time_left())
            if not ready:
                self._end(f"took longer than {self.seconds:g} s")
            piece = os.read(self._answers.fileno(), min(count, 1 << 20))
            if not piece:
                self._end(self._death())
            pieces.append(piece)
            count -= len(piece)
        return b"".join(pieces)

    def _time_left(self) -> float:
        return max(0.0, self.deadline - time.monotonic())

    def _death(self) -> str:
        """How the process ended by itself."""
        try:
            code = self.process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            return "closed its pipes"
        if code < 0:
            return f"ended by the signal {signal.Signals(-code).name}"
        return f"ended its own process, with exit code {code}"

    def _end(self, why: str):
        self.ended = why
        self._kill()
        raise SubmissionError(f"the submission {why}")

    def _kill(self) -> None:
        """The process, and whatever it has started."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def printed(self) -> str:
        """The end of what the submission has printed so far."""
        return self._printed.decode(errors="replace")[-PRINTED:]

    def __exit__(self, *_) -> None:
        self._kill()
        self._listener.join(timeout=5)
        for file in (self._commands, self._answers, self.process.stderr):
            with contextlib.suppress(OSError):
                file.close()  # type: ignore[union-attr]  # they are pipes
        self._folder.cleanup()
