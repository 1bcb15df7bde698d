"""The command `parity`: one subcommand per job, each in a file of its own here.

A subcommand is a module with `add_parser(subparsers)` and `run(args) -> int`. Importing one must
be cheap: TensorFlow, scikit-learn and matplotlib are imported inside `run`, so that `--help` and a
mistyped option answer at once.

Exit codes: 0, all is well; 1, parity does not hold; 2, bad usage or input, told in one line; 130,
interrupted by Ctrl-C.
"""

import argparse
import importlib
import shlex
import sys

from compare import __version__
from compare.cli import arguments, completion
from compare.cli.errors import complain, failed, guarded
from compare.cli.helping import Parser
from compare.cli.supervision import Died, supervised

COMMANDS = ("check", "debug", "bench", "speed", "record", "fuzz", "faults", "grade", "support")
DESCRIPTION = """\
Proves, number by number, that a neural network written in NumPy and its Keras
twin are the same function, gradients included; where they are not, it says
which layer, which tensor and why. It also trains both side by side, to show
whether they learn alike and how fast.
"""
EPILOG = """\
what people come here for:
  Is my network the same function as Keras's?
    parity check                        # the network that comes with parity
    parity check --model model.keras    # a model that you saved
    parity check --model mine:build     # build() in mine.py: yours, or a pair
  It is off. Which layer, which tensor, which bug?
    parity debug --model mine:build
  Do both learn as well, and how fast?
    parity bench --quick                # a minute or two; all of it: many

first of all try: parity check     (some seconds; it ends in a verdict)
then:             parity COMMAND --help     (with more examples)

Results go to standard output, progress and errors to standard error. Files are
written only where an option names them, as --json, --html or --out do.

exit codes: 0 parity holds, or all is done; 1 parity does not hold; 2 bad usage
or input, told in one line; 130 interrupted by Ctrl-C

NO_COLOR=1 turns colours off. Tab completes after, in bash (in zsh, tcsh and
fish alike):
  eval "$(parity --print-completion bash)"
"""


def build_parser() -> Parser:
    """The parser of the whole command, every subcommand included."""
    parser = Parser(prog="parity", description=DESCRIPTION, epilog=EPILOG)
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    completion.add_option(parser)
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands")
    for name in COMMANDS:
        importlib.import_module(f"compare.cli.{name}").add_parser(subparsers)
    return parser


def command() -> int:
    """What `parity` runs at the terminal: `main` in a process that may die without being believed.
    """
    if sys.stdout is None or sys.stderr is None:
        if sys.stderr is not None:
            complain("parity", "expected standard output to be open, for the result goes there. "
                     "Received: a closed one", "Give it a file, or /dev/null")
        return 2
    return main(supervise=True)


def main(argv: list[str] | None = None, supervise: bool = False) -> int:
    """Run the command; returns its exit code.

    Args:
        argv: the arguments; None takes the command line's.
        supervise: run the subcommand in a process of its own, see `compare.cli.supervision`.
    """
    parser = build_parser()
    args = argparse.Namespace(command=None)
    code = guarded(parser.prog, lambda args: understand(parser, argv, args), args)
    if code is not None:
        return code
    args.command_line = shlex.join(["parity", *(sys.argv[1:] if argv is None else argv)])
    run = importlib.import_module(f"compare.cli.{args.command}").run
    prog = f"parity {args.command}"
    if not supervise:
        return guarded(prog, run, args)
    try:
        return supervised(lambda: guarded(prog, run, args))
    except Died as death:
        failed(args, str(death))
        return complain(prog, death)


def understand(parser: Parser, argv: list[str] | None, args: argparse.Namespace) -> int | None:
    """Fill `args` in; an exit code if all is said and done: --help, --version, bad usage."""
    try:
        _, unknown = parser.parse_known_args(argv, args)
        if unknown:
            prog = f"{parser.prog} {args.command}" if args.command else parser.prog
            Parser(prog).error(f"unrecognized arguments: {' '.join(unknown)}")
        arguments.refuse_empty(parser.prog, args)
        if args.command is None:
            # as "parity $UNSET" in a script: nothing was checked, so it is no 0
            parser.print_help(sys.stderr)
            return complain(parser.prog, "expected a command. Received none",
                            "First of all try: parity check")
    except SystemExit as stop:
        return int(stop.code or 0)
    return None
