"""What a subcommand does about errors: bad input in one line, bugs with their traceback."""

import os
import sys
from collections.abc import Callable

# as shells have it: 128 + the number of the signal
INTERRUPTED, PIPE_CLOSED = 128 + 2, 128 + 13
EXPECTED = (ValueError, OSError)


def guarded(prog: str, run: Callable, args) -> int:
    """`run(args)`, with expected errors told in one line on standard error and exit code 2.

    Expected are those of bad input: values and files. Anything else is a bug and is raised.
    """
    try:
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


def complain(prog: str, error) -> int:
    """One line on standard error; returns the exit code for bad input."""
    print(f"{prog}: error: {one_line(error)}", file=sys.stderr)
    return 2


def interrupted(prog: str, what_is_left: str = "") -> int:
    """One line on standard error about Ctrl-C; returns the exit code for it."""
    print(f"{prog}: interrupted{what_is_left}", file=sys.stderr)
    return INTERRUPTED


def one_line(error) -> str:
    """An error's message without line breaks; for one of the system's, the file and the reason."""
    if isinstance(error, OSError) and error.filename and error.strerror:
        return f"{error.filename}: {error.strerror}"
    return " ".join(str(error).split()) or type(error).__name__
