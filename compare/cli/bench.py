"""`parity bench`: train the NumPy network and its Keras twin side by side, and report."""

import argparse
import math

from compare.cli import arguments, outputs, replication
from compare.cli.errors import complain, interrupted
from compare.cli.helping import examples
from compare.inputs.training_protocols import DATASET, PROTOCOLS

PROG = "parity bench"
DESCRIPTION = """\
Does the NumPy network learn as well as its Keras twin, and how fast?

Makes the benchmark network in both with the same weights, checks that they are
the same function, trains both on the same batches in the same order, and
reports accuracy, F1, loss, speed and memory of both. Without options it repeats
the published runs: Fashion-MNIST, all 60,000 images, 3 epochs, batch size 1,
learning rate 0.005, which takes some minutes.

Exits 0 when done, 1 if the two are not the same function (then nothing is
trained), 2 for bad input or a loss that is no longer finite, 130 after Ctrl-C,
which keeps what is finished.
"""
ADVICE = ("What was finished is in the report. Try a smaller --learning-rate if the loss became "
          "infinite, a smaller --limit if memory ran out")
EPILOG = examples(
    ("a short run, a minute or two", "parity bench --quick"),
    ("the published run, with tables and pictures in a folder and a page",
     "parity bench --out report --html report.html"),
    ("is the difference real? 5 pairs of runs; after Ctrl-C the same, resumed",
     "parity bench --quick --seeds 5 --runs my-runs"),
    ("", "parity bench --quick --seeds 5 --runs my-runs --resume"))


def add_parser(subparsers) -> None:
    parser = subparsers.add_parser("bench", help="train both side by side and compare the results",
                                   description=DESCRIPTION, epilog=EPILOG)
    add_training(arguments.group(parser, "what is trained"))
    arguments.add_output(parser)
    arguments.add_html(parser)
    arguments.group(parser, "output").add_argument(
        "--out", metavar="DIR", help="also write report.md, report.json and pictures into DIR")
    replication.add_options(parser)


def add_training(parser) -> None:
    """The network, its data and how it is trained."""
    number = arguments.positive
    parser.add_argument("--network", choices=tuple(PROTOCOLS), default="benchmark", metavar="NAME",
                        help="benchmark (default) or wide, of 83,466 parameters")
    arguments.add_data(parser, DATASET)
    parser.add_argument("--epochs", type=number, metavar="N",
                        help="passes over the training images (default: the network's own, "
                             f"{defaults('epochs')})")
    parser.add_argument("--batch-size", type=number, metavar="N",
                        help=f"images per training step (default: {defaults('batch_size')})")
    parser.add_argument("--learning-rate", type=rate, metavar="R",
                        help="of the network's optimizer (default: "
                             f"{defaults('optimizer', 'learning_rate')})")
    parser.add_argument("--seed", type=arguments.natural, default=0, metavar="N",
                        help="of the initial weights and of the order of images (default: 0)")
    parser.add_argument("--limit", type=number, metavar="N",
                        help="use only the first N training images")
    parser.add_argument("--test-limit", type=number, metavar="N",
                        help="use only the first N test images")
    parser.add_argument("--quick", action="store_true",
                        help="a short run: 1 epoch of 1,500 training images, unless --epochs or "
                             "--limit say otherwise")


def defaults(*names: str) -> str:
    """What each named network's protocol says: '3 for benchmark, 30 for wide'."""
    return ", ".join(" ".join(str(getattr(protocol, name)) for name in names) + f" for {network}"
                     for network, protocol in PROTOCOLS.items())


def rate(text: str) -> float:
    """A learning rate: finite and not negative."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value) or value < 0:
        raise argparse.ArgumentTypeError("expected a finite number, not negative. "
                                         f"Received: {text}")
    return value


def run(args) -> int:
    from compare.experiments import benchmark

    chosen = choose(args)
    if args.seeds:
        return replication.run(args, chosen)
    if args.resume or args.jobs > 1 or args.backend != "local":
        raise ValueError("expected --seeds with --resume, --jobs and --backend. Received none. "
                         "Say how many pairs of runs with --seeds K")
    outputs.require_writable(args)
    dataset = arguments.load(chosen)
    result = benchmark.run(chosen, dataset)
    publish(args, result, dataset)
    return exit_code(result)


def publish(args, result, dataset) -> None:
    """Write the files that were asked for, and print the report."""
    from compare.experiments.benchmark import files, json_record, report

    def page(result):
        from compare.experiments.benchmark.page import benchmark_page

        return benchmark_page(result, dataset, outputs.facts(args))

    outputs.publish(args, result, report.render, as_json=json_record.as_json, page=page,
                    folder=lambda result, path: files.write_directory(result, dataset, path))


def choose(args):
    """The settings that the options ask for.

    Raises:
        ValueError: for an unknown dataset or a number out of range.
    """
    from compare.experiments.benchmark.settings import QUICK_EPOCHS, QUICK_LIMIT, Settings

    return Settings(
        network=args.network, dataset=args.dataset, data_dir=args.data_dir,
        batch_size=args.batch_size, learning_rate=args.learning_rate, seed=args.seed,
        test_limit=args.test_limit,
        epochs=args.epochs or (QUICK_EPOCHS if args.quick else None),
        limit=args.limit or (QUICK_LIMIT if args.quick else None))


def exit_code(result) -> int:
    """What the shell is told; why, if not 0, is said on standard error."""
    if result.check and not result.check.passed:
        complain(PROG, result.check.summary, "Find out why: parity debug")
        return 1
    if result.interrupted:
        return interrupted(PROG, "; what was finished is in the report")
    return complain(PROG, result.stopped, ADVICE) if result.partial else 0
