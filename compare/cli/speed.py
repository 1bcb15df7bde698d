"""`parity speed`: how fast this network trains, beside Keras, PyTorch and bare BLAS."""

import argparse
import math

from compare.cli import arguments, outputs
from compare.cli.errors import advising, complain, interrupted
from compare.cli.helping import examples

PROG = "parity speed"
DESCRIPTION = """\
How fast does the NumPy network train, beside Keras, PyTorch and bare BLAS?

Measures time per sample of training and prediction, how the time of a step
grows with batch size, image side and channels, what a check costs by the size
of the network, and the peak memory of a training process. All competitors take
turns, so that every ratio comes from neighbouring turns; medians and quartiles
are shown. The images are random.
Without options it takes several minutes; the machine should be quiet.

Exits 0 when done, 2 for bad input or a process that fails, 130 after Ctrl-C,
which keeps what is finished.
"""
ADVICE = ("What was finished is in the report. Leave out the one that failed with --competitors, "
          "or take smaller --batch-sizes if memory ran out")
EPILOG = examples(
    ("the quickest look", "parity speed --quick"),
    ("everything, with tables and pictures in a folder", "parity speed --out speed"),
    ("training alone, in batches of 32, scratch against Keras",
     "parity speed --parts training --batch-sizes 32 --competitors scratch,keras"),
    ("what a check costs, by layers, image side, channels and batch",
     "parity speed --parts check --out speed"))


def add_parser(subparsers) -> None:
    parser = subparsers.add_parser("speed", help="measure training and prediction against Keras",
                                   description=DESCRIPTION, epilog=EPILOG)
    what = arguments.group(parser, "what is measured")
    what.add_argument("--quick", action="store_true",
                      help="under a minute: only training, scratch and Keras's fit, batches 1 "
                           "and 32, few pairs, unless options say otherwise")
    what.add_argument("--networks", type=names, metavar="NAME,...",
                      help="some of benchmark, wide (default: both)")
    what.add_argument("--batch-sizes", type=sizes, metavar="N,...",
                      help="images per training step (default: 1,8,32,128,256 for the benchmark "
                           "network, 100 for the wide one)")
    what.add_argument("--competitors", type=names, metavar="NAME,...",
                      help="some of scratch, keras, keras-loop, torch; the others are compared "
                           "with the first (default: all; torch only where it is installed)")
    what.add_argument("--parts", type=names, metavar="NAME,...",
                      help="some of training, predict, layers, check, scaling, memory"
                           " (default: all)")
    how = arguments.group(parser, "how long")
    how.add_argument("--pairs", type=arguments.positive, metavar="N",
                     help="turns of each competitor in every row (default: 11)")
    how.add_argument("--stretch", type=seconds, metavar="SECONDS",
                     help="the least length of a turn (default: 0.3)")
    arguments.add_output(parser)
    arguments.group(parser, "output").add_argument(
        "--out", metavar="DIR",
        help="also write speed.md, speed.json and the pictures into DIR")


def names(text: str) -> tuple[str, ...]:
    """'a,b' as ('a', 'b'); which names there are is known to the settings."""
    return tuple(name.strip() for name in text.split(","))


def sizes(text: str) -> tuple[int, ...]:
    """'1,32' as (1, 32)."""
    return tuple(arguments.positive(size) for size in text.split(","))


def seconds(text: str) -> float:
    """A length of time: finite and above 0."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value) or value <= 0:
        raise argparse.ArgumentTypeError("expected a finite number of seconds above 0. "
                                         f"Received: {text}")
    return value


def run(args) -> int:
    from compare.experiments import performance
    from compare.experiments.performance import files, json_record

    chosen = choose(args)
    outputs.require_writable(args)
    with advising("Install it, as with `pip install torch`, or leave --competitors out"):
        result = performance.run(chosen)
    outputs.publish(args, result, performance.render, as_json=json_record.as_json,
                    folder=files.write_directory)
    if result.interrupted:
        return interrupted(PROG, "; what was finished is in the report")
    return complain(PROG, result.stopped, ADVICE) if result.partial else 0


def choose(args):
    """The settings that the options ask for.

    Raises:
        ValueError: for an unknown name, or one that is given twice.
    """
    from compare.experiments.performance.settings import QUICK, Settings

    given = {name: getattr(args, name) for name in ("networks", "batch_sizes", "competitors",
                                                    "parts", "pairs", "stretch")}
    given = {name: value for name, value in given.items() if value is not None}
    return Settings(**{**(QUICK if args.quick else {}), **given})
