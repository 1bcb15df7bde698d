"""Blocks that are made of the JSON of a benchmark or of a measurement of speed.

`MAKERS` holds who can be named in a comment: each takes the JSON and returns the block.
"""

import textwrap

from tests.readme import picture
from tests.readme.blocks import ROOT, WIDTH
from tests.readme.restoring import speed_of

GROWTH = ROOT / "tests" / "readme" / "growth.svg"


def machine(record: dict) -> str:
    """Where and with what it ran, how long training took, and what a step cost."""
    versions = {name: version for run in record["runs"].values()
                for name, version in run["versions"].items()}
    sides = [picture.Side.of(record, side) for side in picture.SIDES]
    minutes = sum(side.seconds for side in sides) / 60
    numpy, keras = sides
    return textwrap.fill(
        f"That ran on {record['environment']['machine']}, with NumPy {versions['numpy']}, Keras "
        f"{versions['keras']} and TensorFlow {versions['tensorflow']}; training took {minutes:.1f} "
        f"minutes in all. A step took {numpy.ms_per_step:.2f} ms in NumPy and "
        f"{keras.ms_per_step:.2f} ms in Keras, the process {numpy.megabytes:,.0f} MB against "
        f"{keras.megabytes:,.0f} MB.", WIDTH)


def drawn(record: dict) -> str:
    """Draws the picture; the block shows it, with its figures in words."""
    picture.write(record, picture.PATH)
    return f"![{picture.in_words(record)}]({picture.PATH.relative_to(ROOT).as_posix()})"


def growth(record: dict) -> str:
    """Draws how the time of a step grows; the block shows it."""
    from compare.experiments.performance.figures import scaling

    picture.save(scaling(speed_of(record)), GROWTH)
    return ("![Milliseconds per training step over batch size, image side and channels, on log-log "
            f"paper]({GROWTH.relative_to(ROOT).as_posix()})")


MAKERS = {"machine": machine, "picture": drawn, "growth": growth}
