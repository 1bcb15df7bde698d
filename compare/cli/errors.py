"""What a subcommand does about errors: bad input in one line, bugs with their traceback.

The line says what was expected, what came, and last what to do next. That is said where the error
is raised, or by `advising` around the step that failed; else the way to the help is told.
"""

import contextlib
import os
import re
import sys
from collections.abc import Callable, Iterator

from compare.cli import colour
from compare.document import progress

# as shells have it: 128 + the number of the signal
INTERRUPTED, PIPE_CLOSED = 128 + 2, 128 + 13
EXPECTED = (ValueError, OSError)
# An error's last words, where they already say what to do: 'Remove it, and it is ...'.
TOLD = re.compile(r"(?:^|[.;:] )(?:Add|Build|Call|Choose|Delete|Download|Get|Give|Install|Leave"
                  r"|Make|Name|Record|Remove|Run|Save|Say|See|Set|Start|Take|Try|Use|Write)\b[^.]*"
                  r"(?:\.\S[^.]*)*\.?$", re.IGNORECASE)


def guarded(prog: str, run: Callable, args) -> int:
    """`run(args)`, with expected errors told in one line on standard error and exit code 2.

    Expected are those of bad input: values and files. Anything else is a bug and is raised.
    """
    try:
        with progress.watched():
            code = run(args)
            sys.stdout.flush()
        return code
    except BrokenPipeError:  # whoever read standard output had enough, as `head` does
        # the interpreter flushes once more when it ends, which must not fail again
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return PIPE_CLOSED
    except EXPECTED as error:
        return complain(prog, error)
    except KeyboardInterrupt:
        return interrupted(prog)


@contextlib.contextmanager
def advising(advice: str, *kinds: type[Exception]) -> Iterator[None]:
    """Expected errors on the way end with this advice, unless somebody nearer gave another.

    Args:
        kinds: for these errors alone.
    """
    try:
        yield
    except kinds or EXPECTED as error:
        if not hasattr(error, "advice"):
            error.advice = advice
        raise


def complain(prog: str, error, advice: str | None = None) -> int:
    """One line on standard error; returns the exit code for bad input."""
    colour.tell(f"{prog}: error: {with_advice(prog, error, advice)}")
    return 2


def interrupted(prog: str, what_is_left: str = "") -> int:
    """One line on standard error about Ctrl-C; returns the exit code for it."""
    colour.tell(f"{prog}: interrupted{what_is_left}")
    return INTERRUPTED


def with_advice(prog: str, error, advice: str | None = None) -> str:
    """The message in one line, ending in what to do next."""
    message = one_line(error)
    if TOLD.search(message):
        return message
    advice = advice or getattr(error, "advice", None) or f"Try: {prog} --help"
    return f"{message.rstrip('.')}. {advice}"


def one_line(error) -> str:
    """An error's message without line breaks; for one of the system's, the file and the reason."""
    if isinstance(error, OSError) and error.filename and error.strerror:
        return f"{error.filename}: {error.strerror}"
    return " ".join(str(error).split()) or type(error).__name__
