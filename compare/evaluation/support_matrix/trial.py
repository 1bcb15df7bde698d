"""One thing handed over from Keras: taken, refused by name, or neither."""

import json

from scratch.errors import UnsupportedError

TAKEN, REFUSED, FAILED = "taken", "refused", "failed"


def verdict(hand_over, *names: str) -> str:
    """What becomes of a call.

    Args:
        hand_over: a function without arguments.
        names: what an error has to name to count as a refusal, if it is no UnsupportedError.

    Returns:
        TAKEN, REFUSED, or FAILED for any other error.
    """
    try:
        hand_over()
    except UnsupportedError:
        return REFUSED
    except (ValueError, TypeError) as error:
        return REFUSED if names and all(name in str(error) for name in names) else FAILED
    return TAKEN


def accepted(make):
    """What Keras makes, or None where it refuses to."""
    try:
        return make()
    except Exception:  # Keras raises whatever it meets
        return None


def plain(config):
    """A config as a file has it."""
    return json.loads(json.dumps(config))
