"""What TensorFlow refuses while a Keras model runs, as one sentence that names the layer."""

import contextlib
import re
from collections.abc import Iterator

from reference.quiet import tf

LONGEST = 300  # characters of TensorFlow's message, some of which hold a whole stack


class KerasError(ValueError):
    """TensorFlow refused to run a layer of the reference, or to differentiate it."""


@contextlib.contextmanager
def naming(layer) -> Iterator[None]:
    """Errors of TensorFlow's inside become a `KerasError` about this Keras layer."""
    try:
        yield
    except tf.errors.OpError as error:
        raise KerasError(f"Layer {layer.name!r}: expected a {type(layer).__name__} that TensorFlow "
                         f"can run on this processor. Received: {said(error)}") from None


@contextlib.contextmanager
def naming_part(what: str) -> Iterator[None]:
    """The same for what is no layer: 'the loss', 'a training step'."""
    try:
        yield
    except tf.errors.OpError as error:
        raise KerasError(f"Expected TensorFlow to run {what} of the Keras model. "
                         f"Received: {said(error)}") from None


def said(error) -> str:
    """TensorFlow's own words: without colours, names of nodes, and what Keras adds around them."""
    text = re.sub("\x1b\\[[0-9;]*m", "", str(error)).split("\n\nArguments received by")[0]
    text = text.split("[[{{node")[0].split("}} ")[-1].split(" [Op:")[0]
    text = re.sub(r"^\s*Exception encountered when calling [\w.]+\(\)\.", "", text).strip()
    if text.startswith(("in user code", "Graph execution error", "Detected at node")):
        text = text.splitlines()[-1]  # the others are a stack
    text = " ".join(text.split())
    return text if len(text) <= LONGEST else f"{text[:LONGEST]} ..."
