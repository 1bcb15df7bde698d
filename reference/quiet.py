"""Starts TensorFlow and Keras once, without their start-up chatter on standard error."""

import contextlib
import logging
import os
import sys
import tempfile
import threading

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
if os.environ.setdefault("KERAS_BACKEND", "tensorflow") != "tensorflow":
    raise ImportError("Expected Keras to run on TensorFlow. Received: KERAS_BACKEND="
                      f"{os.environ['KERAS_BACKEND']!r}; set KERAS_BACKEND=tensorflow.")


def _held():
    """The file that this very process was told to write to, or one of its own; empty."""
    process, _, number = os.environ.get("PARITY_HELD", "").partition(":")
    if process != str(os.getpid()):  # a parent's variable, whose file is not open here
        return tempfile.TemporaryFile()
    held = os.fdopen(os.dup(int(number)), "w+b")
    held.truncate(0)
    return held


@contextlib.contextmanager
def silent_stderr():
    """Hold back what native code writes to standard error; show it if the block fails.

    Native code may also end the process. Who waits for it can hand over a file, by PARITY_HELD, to
    read there what has been said.
    """
    try:
        saved = os.dup(2)
    except OSError:  # no standard error to hold back
        yield
        return
    with _held() as held:
        sys.stderr.flush()
        os.dup2(held.fileno(), 2)
        try:
            yield
        except BaseException:
            os.dup2(saved, 2)
            held.seek(0)
            sys.stderr.write(held.read().decode(errors="replace"))
            raise
        finally:
            os.dup2(saved, 2)
            os.close(saved)
            held.truncate(0)


with silent_stderr():
    import keras
    import tensorflow as tf
    from keras.src.backend.common import global_state

    # the bounds are proved for the CPU's kernels; a GPU may round its factors to TF32 first
    tf.config.set_visible_devices([], "GPU")
    tf.constant(0.0)  # the devices are looked for, and talked about, at the first tensor

# many small networks are made here on purpose, and each of them is traced
logging.getLogger("tensorflow").addFilter(
    lambda record: "triggered tf.function retracing" not in record.getMessage())

if keras.backend.backend() != "tensorflow":  # somebody imported it before
    raise ImportError("Expected Keras to run on TensorFlow. Received: the backend "
                      f"{keras.backend.backend()!r}; set KERAS_BACKEND=tensorflow.")

# Keras's default precision belongs to all threads: while one has changed it, others wait.
LOCK = threading.RLock()

__all__ = ["LOCK", "global_state", "keras", "precision", "tf"]


@contextlib.contextmanager
def precision(dtype: str):
    """Make `dtype` Keras's default, so that losses and optimizers compute in it too.

    A float64 model with a float32 loss would have its output cast, which also loses the logits
    behind a softmax.
    """
    with LOCK, _precision(dtype):
        yield


@contextlib.contextmanager
def _precision(dtype: str):
    before = keras.config.floatx()
    # Keras settles the policy of layers when it is first asked for: now, not while `dtype` is in
    # force, or every later layer of the user's would have it
    policy = keras.config.dtype_policy()
    keras.config.set_floatx(dtype)
    # a mixed policy of the user's is not for the networks that are made here: Keras would scale
    # the losses of a model that has no such layer
    keras.config.set_dtype_policy(dtype)
    try:
        yield
    finally:
        keras.config.set_floatx(before)
        keras.config.set_dtype_policy(policy)
