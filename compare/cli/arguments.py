"""Options that several subcommands share, and checks that argparse reports as bad usage."""

import argparse

from tabulate import tabulate_formats


def add_pair(parser) -> None:
    """--model, --dtype, --batch, --seed, --input and where the images come from."""
    parser.add_argument("--model", metavar="FILE.keras|module:callable",
                        help="what to check; default: the benchmark network")
    parser.add_argument("--dtype", choices=("float32", "float64"),
                        help="precision of both (default: the model's own, float32)")
    parser.add_argument("--batch", type=positive, metavar="N",
                        help="samples in the batch (default: 8)")
    parser.add_argument("--seed", type=natural, metavar="N",
                        help="of weights, images and labels drawn at random (default: 0)")
    parser.add_argument("--input", metavar="FILE.npz",
                        help="a batch of your own: arrays x and y")
    add_data(parser)


def add_data(parser, dataset: str | None = None) -> None:
    """--dataset, whose default is `dataset`, and --data-dir."""
    parser.add_argument("--dataset", default=dataset, metavar="NAME",
                        help="fashion-mnist (default) or digits")
    parser.add_argument("--data-dir", metavar="DIR",
                        help="where the four Fashion-MNIST files lie (default: the usual places)")


def add_output(parser) -> None:
    """--format and --json."""
    parser.add_argument("--format", choices=tabulate_formats, default="simple", metavar="NAME",
                        help="any of tabulate's table formats, such as github, latex, html")
    parser.add_argument("--json", metavar="FILE", help="also write everything as JSON")


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
