"""What a subcommand does about errors: one line each, and exit code 2; 0 and 1 are verdicts.

The line says what was expected, what came, and last what to do next. That is said where the error
is raised, or by `advising` around the step that failed; else the way to the help is told.
"""

import contextlib
import errno
import os
import re
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from compare.cli import colour
from compare.document import files, progress
from compare.document.text import Text, bad, line, warning
from scratch.errors import shortened

Code = TypeVar("Code")

# as shells have it: 128 + the number of the signal
INTERRUPTED, PIPE_CLOSED = 128 + 2, 128 + 13
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
EXPECTED = (ValueError, OSError, ImportError)
# modules that `pip install . -C tensorflow=no` does not bring
WITH_TENSORFLOW = frozenset(("joblib", "keras", "matplotlib", "pooch", "requests", "scipy", "shtab",
                             "sklearn", "tensorflow"))
MOST = 3000  # characters of a line: a file may have anything quoted
# An error's last words, where they already say what to do: 'Remove it, and it is ...'.
TOLD = re.compile(r"(?:^|[.;:] )(?:Add|Build|Call|Choose|Delete|Download|Get|Give|Install|Leave"
                  r"|Make|Name|Record|Remove|Run|Save|Say|See|Set|Start|Take|Try|Use|Write)\b[^.]*"
                  r"(?:\.\S[^.]*)*\.?$", re.IGNORECASE)


def guarded(prog: str, run: Callable[[Any], Code], args) -> Code | int:
    """`run(args)`, an exit code; every error is told in one line on standard error, with code 2.

    Errors of bad input, values and files, are told as they are. Of any other the line says where it
    arose, and how to see all of it. SIGTERM and SIGHUP end the work as Ctrl-C does.
    """
    try:
        with progress.watched(), ending_as_by_ctrl_c():
            code = run(args)
            sys.stdout.flush()
        return code
    except BrokenPipeError as error:
        if error.filename:  # a pipe that an option names, as in --json >(jq .)
            return complain(prog, error, "Give a file, or a reader that reads to the end")
        # whoever read standard output had enough, as `head` does
        # the interpreter flushes once more when it ends, which must not fail again
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return PIPE_CLOSED
    except EXPECTED as error:
        failed(args, one_line(error))
        return complain(prog, error)
    except KeyboardInterrupt:
        return interrupted(prog)
    except BaseException as error:  # SystemExit, GeneratorExit: whatever somebody's code raises
        if os.environ.get("PARITY_TRACEBACK"):
            traceback.print_exc()
        from compare.tracing.layer_error import sentence

        said = f"unexpected {sentence(error)}"
        failed(args, said)
        return complain(prog, said, "Set PARITY_TRACEBACK=1 to see where it arose")


@contextlib.contextmanager
def ending_as_by_ctrl_c() -> Iterator[None]:
    """Meanwhile SIGTERM and SIGHUP raise KeyboardInterrupt: what is finished is kept."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    numbers = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    before = [signal.signal(number, signal.default_int_handler) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before):
            signal.signal(number, handler)


def failed(args, message: str) -> None:
    """Write the JUnit file that was asked for, with one error: there is no verdict."""
    if getattr(args, "junit", None):
        from compare.cli import clashes
        from compare.report.junit import junit_error

        try:  # the error may have come before the paths were looked at
            clashes.refuse(args, ("json", "html", "junit"), ())
        except ValueError:
            return
        with contextlib.suppress(OSError):  # the one line on the screen is not to be lost for it
            files.write_text(args.junit, junit_error(
                message, getattr(args, "model", None) or getattr(args, "what", None)))


@contextlib.contextmanager
def advising(advice: str, *kinds: type[Exception]) -> Iterator[None]:
    """Expected errors on the way end with this advice, unless somebody nearer gave another.

    Args:
        kinds: for these errors alone.
    """
    chosen = kinds or EXPECTED
    try:
        yield
    except chosen as error:
        if not hasattr(error, "advice"):
            error.advice = advice  # type: ignore[attr-defined]  # a note on somebody's error
        raise


def complain(prog: str, error, advice: str | None = None) -> int:
    """One line on standard error; returns the exit code for bad input."""
    colour.tell(line(f"{prog}: ", bad("error"), ": ", with_advice(prog, error, advice)))
    return 2


def interrupted(prog: str, what_is_left: str = "") -> int:
    """One line on standard error about Ctrl-C; returns the exit code for it."""
    colour.tell(line(f"{prog}: ", warning("interrupted"), what_is_left))
    return INTERRUPTED


def with_advice(prog: str, error, advice: str | None = None) -> Text:
    """The message in one line, ending in what to do next."""
    message = one_line(error)
    if isinstance(error, ModuleNotFoundError) and error.name:
        advice = installing(error.name.split(".")[0])
    if TOLD.search(message):
        return message
    advice = advice or getattr(error, "advice", None) or f"Try: {prog} --help"
    return line(message, " " if message.endswith(".") else ". ", advice)


def installing(package: str) -> str:
    """How to come by a package that is missing."""
    if package in WITH_TENSORFLOW:
        return ("It comes with the whole of keras-parity: this one was installed without "
                "TensorFlow, for scratch and for checks with --golden. Say `pip install .` in its "
                "folder")
    return f"Install it: pip install {package}"


def one_line(error) -> Text:
    """An error's message without line breaks; for one of the system's, the file and the reason."""
    if isinstance(error, OSError) and error.filename and error.strerror:
        return line(f"{error.filename}: {error.strerror}")
    if isinstance(error, OSError) and error.errno in FULL:  # every file is named by its writer
        return line(f"standard output: {error.strerror}")
    if isinstance(error, Text):
        return error
    return line(shortened(" ".join(str(error).split()), MOST) or type(error).__name__)
