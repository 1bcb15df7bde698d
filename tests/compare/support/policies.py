"""Keras's models under a policy for all layers that ask for none of their own."""

import keras


def under(policy, build, seed=3):
    """What `build()` makes under that policy, with weights by that seed."""
    keras.utils.set_random_seed(seed)
    keras.config.set_dtype_policy(policy)
    try:
        return build()
    finally:
        keras.config.set_dtype_policy("float32")
