"""Runs a subcommand in a process of its own, so that a sudden death is never taken for a verdict.

Somebody's own layer may call `os._exit(0)`, a library may crash, the system may kill a process that
takes too much memory: then the command would end with whatever exit code that gives, which may
well be 0. So the command forks. The child does the work and, at its very end, sends its exit code
through a pipe; a child that ends without having done so has given no verdict.

Where there is no fork (Windows) the subcommand runs in the same process.
"""

import contextlib
import os
import signal
import sys
import tempfile
from collections.abc import Callable

from compare.document.child_process import end_with_parent, hold_back_in, last_words

FORWARDED = (signal.SIGINT, signal.SIGTERM, getattr(signal, "SIGHUP", signal.SIGTERM))
HINTS = {"SIGKILL": "often too little memory: give a smaller --batch, or close other programs",
         "SIGILL": "an instruction that this processor does not have: TensorFlow's own builds need "
                   "AVX; install one that was built for it",
         "SIGSEGV": "a crash inside a library",
         "SIGABRT": "a library gave up"}


class Died(RuntimeError):
    """The child ended without a verdict; the message says how."""


def supervised(run: Callable[[], int]) -> int:
    """run() in a child process; its result, which both processes get: the caller ends with it.

    Raises:
        Died: if the child ends before run() has returned.
    """
    if not hasattr(os, "fork"):
        return run()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    read, write = os.pipe()
    held = tempfile.TemporaryFile()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {*FORWARDED, signal.SIGCHLD})
    child = os.fork()
    if child == 0:
        os.close(read)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        end_with_parent(signal.SIGTERM)
        hold_back_in(held.fileno())
        code = run()
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError, ValueError):
                stream.flush()
        with contextlib.suppress(BrokenPipeError):  # the parent was killed: nobody waits
            os.write(write, bytes([code]))
        return code
    os.close(write)
    try:
        status = wait_for(child)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    os.set_blocking(read, False)  # a process that the child has left behind may hold it open
    with os.fdopen(read, "rb") as pipe, held:
        said = pipe.read(1)
        if said:
            return said[0]
        held.seek(0)
        raise Died(how(status, last_words(held.read())))


def wait_for(child: int) -> int:
    """The child's status at its end; signals that are sent to this process alone are passed on.

    Ctrl-C reaches every process of the terminal by itself, and is not sent a second time.
    """
    while True:
        if hasattr(signal, "sigwaitinfo"):
            came = signal.sigwaitinfo({*FORWARDED, signal.SIGCHLD})
            number, by_a_process = came.si_signo, came.si_code <= 0
        else:  # macOS does not tell who sent a signal
            number = signal.sigwait({*FORWARDED, signal.SIGCHLD})
            by_a_process = number != signal.SIGINT
        if number == signal.SIGCHLD:
            ended, status = os.waitpid(child, os.WNOHANG)
            if ended:
                return status
        elif by_a_process:
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, number)


def how(status: int, words: str = "") -> str:
    """How a process ended, from its status, and what that often means.

    Args:
        words: what was said last, by a library that was just being loaded.
    """
    if words:
        code = os.waitstatus_to_exitcode(status)
        end = f"exit code {code}" if code >= 0 else f"signal {-code}"
        return (f"expected a verdict, but a library ended the process, with {end}, while it was "
                f"starting. Received: {words}")
    if not os.WIFSIGNALED(status):
        return (f"expected a verdict, but the process ended with exit code "
                f"{os.waitstatus_to_exitcode(status)} before there was one. Received: most likely "
                "a call of os._exit in a layer or in a library. Remove it")
    name = signal.Signals(os.WTERMSIG(status)).name
    return (f"expected a verdict, but the process was killed by {name} before there was one"
            + (f" ({HINTS[name]})" if name in HINTS else ""))
