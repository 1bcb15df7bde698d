"""Options that several subcommands share, and checks that argparse reports as bad usage."""

import argparse
import contextlib

from tabulate import tabulate_formats

from compare.cli import colour
from compare.cli.errors import advising
from compare.cli.helping import Parser
from compare.document.text import line, warning
from scratch.precision import NAMES

FILES_ADVICE = ("Give --data-dir DIR with the four Fashion-MNIST files, leave it out to have them "
                "found or downloaded, or use --dataset digits, which needs no files")
NAMES_ADVICE = ("Use --dataset fashion-mnist, or --dataset digits without --data-dir")


POSITIONAL = {"what": "the network", "folder": "the folder"}  # what has no option's name


def refuse_empty(prog: str, args: argparse.Namespace) -> None:
    """End with bad usage if any option was given an empty text, as "$UNSET" is in a script.

    It would be as if the option had not been given, and something else than was meant would be
    checked.

    Raises:
        SystemExit: with the exit code for bad usage.
    """
    for name, value in vars(args).items():
        given = value if isinstance(value, (list, tuple)) else [value]
        if any(isinstance(text, str) and not text.strip() for text in given):
            option = POSITIONAL.get(name, f"--{name.replace('_', '-')}")
            Parser(f"{prog} {args.command}").error(
                f"expected {option} to be given a name. Received an empty text, which may come of "
                "a variable that is not set. Fill it in, or leave the option out")


def group(parser, title: str):
    """The group of options with that title, made if it is not there."""
    return next((found for found in parser._action_groups if found.title == title),
                None) or parser.add_argument_group(title)


def add_pair(parser) -> None:
    """The network, by its place or by --model (see `take_network`), --dtype, --batch, --seed,
    --input and where the images come from."""
    parser.add_argument("what", nargs="?", metavar="FILE.keras|module:callable",
                        help="the same as --model")
    what = group(parser, "what is checked")
    what.add_argument("--model", metavar="FILE.keras|module:callable",
                      help="a saved Keras model, or a function that returns a model, a layer from "
                           "compare.wrap, or the pair to compare (default: the benchmark network)")
    what.add_argument("--dtype", choices=NAMES, metavar="NAME",
                      help=f"precision of both: {', '.join(NAMES)} (default: the model's own, "
                           "float32)")
    what.add_argument("--no-compile", action="store_true",
                      help="leave out what the model is compiled with: its loss, its optimizer and "
                           "its metrics; a random gradient of the output takes the loss's place")
    add_custom_objects(what)
    on = group(parser, "on which numbers")
    on.add_argument("--batch", type=positive, metavar="N",
                    help="samples in the batch (default: 8)")
    on.add_argument("--size", type=positive, nargs="+", metavar="N",
                    help="the sizes that a model's input leaves open, as 64 48 for (None, None, 3)")
    on.add_argument("--seed", type=natural, metavar="N",
                    help="of weights, images and labels drawn at random (default: 0)")
    on.add_argument("--input", metavar="FILE.npz",
                    help="a batch of your own: arrays x and y")
    add_data(on)


def add_custom_objects(what) -> None:
    """--custom-objects, in a group of options."""
    what.add_argument("--custom-objects", metavar="FILE.py|module",
                      help="a Python module of yours whose custom_objects has scratch's classes "
                           "and functions for layers, activations and Lambdas of your own")


def add_inference(parser) -> None:
    """--inference."""
    group(parser, "what is checked").add_argument(
        "--inference", action="store_true",
        help="the forward pass alone, outside of training: for networks that have no backward pass")


def take_network(args: argparse.Namespace) -> None:
    """Have `args.model` hold the network, whether it was given by its place or as --model.

    Raises:
        ValueError: if it was given both ways.
    """
    if args.what and args.model:
        raise ValueError(f"expected the network once. Received: {args.what} and "
                         f"--model {args.model}. Leave one of the two out")
    args.model = args.what or args.model


def add_data(parser, dataset: str | None = None) -> None:
    """--dataset, whose default is `dataset`, and --data-dir."""
    parser.add_argument("--dataset", default=dataset, metavar="NAME",
                        help="fashion-mnist (default) or digits")
    parser.add_argument("--data-dir", metavar="DIR",
                        help="where the four Fashion-MNIST files lie (default: the usual places)")


def add_output(parser) -> None:
    """--format and --json."""
    output = group(parser, "output")
    output.add_argument("--format", choices=tabulate_formats, default="simple", metavar="NAME",
                        help="any of tabulate's table formats, such as github, latex, html")
    output.add_argument("--json", metavar="FILE", help="also write everything as JSON")


def add_html(parser) -> None:
    """--html."""
    group(parser, "output").add_argument(
        "--html", metavar="FILE", help="also write a page to read, with pictures, in one file")


def add_ci(parser) -> None:
    """--junit and --github, for continuing integration."""
    ci = group(parser, "for continuing integration")
    ci.add_argument("--junit", metavar="FILE", help="also write every row as a JUnit test case")
    ci.add_argument("--github", action=argparse.BooleanOptionalAction,
                    help="also print annotations that GitHub shows beside a pull request "
                         "(default: where GITHUB_ACTIONS=true)")


def add_jobs(parser) -> None:
    """--runs, --resume, --jobs, --backend and --address: jobs, where, and their results.

    Args:
        parser: a parser, whose group for them is made, or the group to put them in.
    """
    if isinstance(parser, argparse.ArgumentParser):
        parser = group(parser, "where it runs")
    parser.add_argument("--runs", metavar="DIR",
                        help="keep the results in DIR as they come, for --resume; settings that "
                             "differ start a set of their own in it")
    parser.add_argument("--resume", action="store_true",
                        help="go on where an interrupted run in --runs stopped")
    parser.add_argument("--jobs", type=positive, default=1, metavar="N",
                        help="how many to run at a time on this machine, each in a process of its "
                             "own with its share of the cores (default: 1)")
    parser.add_argument("--backend", choices=("local", "dask", "ray"), default="local",
                        help="run them on a cluster instead (default: local)")
    parser.add_argument("--address", metavar="ADDRESS",
                        help="of the cluster's scheduler, such as tcp://host:8786 for Dask or "
                             "host:6379 for Ray; without one Ray is started on this machine")


@contextlib.contextmanager
def loading_data(otherwise: str = NAMES_ADVICE):
    """Around the loading of images for both sides: what is wrong with the files ends with what to
    do, and without Keras none is looked for.

    Args:
        otherwise: what to do about any other error.
    """
    from compare.inputs.datasets import DataError
    from compare.inputs.starting_tensorflow import require_installed

    require_installed()
    with advising(otherwise), advising(FILES_ADVICE, OSError, DataError):
        yield


def check_jobs(args) -> None:
    """Raises a ValueError for a cluster without an address, an address without a cluster, or
    nothing to resume from."""
    if args.resume and not args.runs:
        raise ValueError("expected --runs with --resume. Received none. "
                         "Name the folder of the interrupted run with --runs DIR")
    if args.backend == "dask" and not args.address:  # Ray can be started here
        raise ValueError("expected --address with --backend dask. Received none. Start a "
                         "scheduler with `dask scheduler` and give the address that it prints")
    if args.backend == "dask" and not scheduler(args.address):
        raise ValueError("expected --address as tcp://HOST:PORT, the port from 1 to 65535. "
                         f"Received: {args.address}. Give the one that `dask scheduler` prints")
    if args.backend == "local" and args.address:
        raise ValueError("expected --backend dask or ray with --address. Received: local. "
                         "Add --backend dask, or leave --address out")


def scheduler(address: str) -> bool:
    """Whether this can be the address of a scheduler: it ends in a port."""
    _, _, port = address.rpartition(":")
    return port.isdecimal() and 0 < int(port) < 2**16


def job_store(args, asked: dict):
    """Where the results of jobs are kept, as the options say.

    Args:
        asked: what the jobs have in common; see `compare.experiments.execution.Store`.
    """
    from compare.experiments import execution

    return execution.Store(args.runs, asked, args.resume)


def running_jobs(args):
    """Around the jobs: what goes wrong on the way to a cluster ends with what to do."""
    if args.backend == "local":
        return contextlib.nullcontext()
    return advising(f"Start a {args.backend} scheduler there, give the --address of one that "
                    "runs, or leave --backend out to stay on this machine")


def positive(text: str) -> int:
    """A whole number above zero."""
    return _whole(text, 1, "a positive integer")


def natural(text: str) -> int:
    """A whole number, zero included."""
    return _whole(text, 0, "an integer of 0 or more")


def _whole(text: str, least: int, expected: str) -> int:
    try:
        value = int(text)
    except ValueError:
        value = least - 1
    if value < least:
        raise argparse.ArgumentTypeError(f"expected {expected}. Received: {text}")
    return value


def load(chosen):
    """The images that the settings ask for; where others stand in for them, that is said."""
    with loading_data("Give smaller --limit and --test-limit, or leave them out"):
        dataset = chosen.load()
    if dataset.fallback_reason:
        colour.tell(line(warning("NOT Fashion-MNIST"), f": {dataset.fallback_reason}"))
    return dataset
