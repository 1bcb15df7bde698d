"""A Keras model's own predict, evaluate and train_on_batch, as compiled, which leave no trace.

What people call is more than the layers one after another: a model's class may have a `call` or a
`train_step` of its own, and `compile` says whether XLA compiles all of it.
"""

import contextlib
import inspect

import numpy as np

from reference import compiled_once
from reference import noise as noises
from reference.carried_states import from_zeros
from reference.compiled import dropped_afterwards, put
from reference.failures import naming_part
from reference.graph import layers_of
from reference.kernels import onednn_in_use
from reference.model import fresh_optimizer, model_dtype
from reference.op_run import WRAPPED
from reference.ops import held, view
from reference.quiet import keras, precision, tf
from reference.structures import as_inputs, as_outputs, each, flat, mapped
from reference.training import summed

REMAPPING = "remapping"  # what TensorFlow calls the joining of operations
FUNCTIONS = ("train_function", "test_function", "predict_function")


class EntryPoints(contextlib.AbstractContextManager):
    """Runs the calls of a built model; at the end of the block the model is as it was before.

    Training starts with a fresh optimizer of the same settings. Random layers use the noise that
    they are handed. What Keras compiles for a call is kept until the end of the block.

    Args:
        model: a built Keras model; compiled, but for `predict`.
    """

    def __init__(self, model) -> None:
        self.model, self.dtype = model, model_dtype(model)
        self.layers = layers_of(model)
        self._noise: dict = {}  # by a layer's position, the tf.Variable that it reads
        self._undo = contextlib.ExitStack()
        self._trains = False  # nothing else needs an optimizer, which may be anybody's

    def __enter__(self) -> "EntryPoints":
        model = self.model
        self._undo.enter_context(dropped_afterwards())
        self._undo.enter_context(from_zeros(self.layers))
        if onednn_in_use(self.dtype) and any(
                getattr(layer, "activation", None) is keras.activations.mish
                for layer in self.layers):
            self._undo.enter_context(unfused())
        # set back last to first: the optimizer before the variables of its own
        for variable in {id(v): v for v in (*model.variables, *model.metrics_variables)}.values():
            self._undo.callback(variable.assign, tf.convert_to_tensor(variable))
        self._undo.callback(model.reset_metrics)  # those that are built here
        for name in ("optimizer", *FUNCTIONS):
            if hasattr(model, name):
                self._undo.callback(put, model, name, getattr(model, name))
        for name in FUNCTIONS:
            put(model, name, None)
        return self

    def __exit__(self, *_) -> None:
        self._undo.close()

    def _fresh_optimizer(self):
        variables = self.model.trainable_variables
        with precision(self.dtype):
            fresh = fresh_optimizer(self.model.optimizer, variables, variables)
            fresh.build(variables)
        apply = fresh.apply
        fresh.apply = lambda gradients, trained=None: apply(
            summed(gradients, variables if trained is None else trained), trained)
        return fresh

    def predict(self, x) -> np.ndarray | tuple:
        """What `predict` returns for x (samples, ...), in one batch; of several inputs or outputs a
        tuple."""
        with precision(self.dtype), naming_part("predict"):
            given = as_inputs(self.model, self._cast(x))
            made = (self.model.predict_on_batch(given) if is_kerass_own(self.model) else
                    self.model.predict(given, batch_size=len(each(x)[0]), verbose=0))
        made = flat(made) if isinstance(made, (dict, list, tuple)) else (made,)
        made = tuple(map(held, made))
        return made if len(made) > 1 else made[0]

    def evaluate(self, x, y, sample_weight=None) -> dict[str, float]:
        """What `evaluate` returns for one batch, by name; 'loss' is the first."""
        with precision(self.dtype), naming_part("evaluate"):
            given = as_inputs(self.model, self._cast(x)), self._labels(y)
            weight = as_outputs(self.model, self._cast(sample_weight))
            if is_kerass_own(self.model):
                return self.model.test_on_batch(*given, weight, return_dict=True)
            return self.model.evaluate(*given, verbose=0, batch_size=len(each(x)[0]),
                                       return_dict=True, sample_weight=weight)

    def train_on_batch(self, weights: list, x, y, sample_weight=None,
                       noise: dict | None = None) -> tuple[list, dict[str, float]]:
        """One more step, from given weights, on one batch.

        What the optimizer remembers of the steps before is kept.

        Args:
            weights: as `get_weights()` lists them.
            x, y: (batch, ...); of several inputs or outputs tuples, and so are the weights.
            sample_weight: None, or weights of the losses (batch, ...).
            noise: by a layer's position, what it uses instead of drawing numbers.

        Returns:
            The weights after the step, not to be written to, and what `train_on_batch` returns, by
            name.
        """
        with precision(self.dtype):
            x, y = as_inputs(self.model, self._cast(x)), self._labels(y)
            weight = as_outputs(self.model, self._cast(sample_weight))
        self.model.set_weights(weights)  # from which some optimizers' slots start
        if not self._trains:
            self.model.optimizer = self._fresh_optimizer()
            if compiled_once.possible(self.model, x, y, weight):
                put(self.model, "train_function", compiled_once.AnyBatchSize(self.model))
            self._trains = True
        given = noises.by_layer(self.layers, {i: self._held(i, value)
                                              for i, value in (noise or {}).items()})
        with precision(self.dtype), noises.given(given), naming_part("train_on_batch"):
            logs = self.model.train_on_batch(x, y, weight, return_dict=True)
        return [view(v) for v in self.model.weights], logs

    def _held(self, position: int, noise: np.ndarray):
        """The noise as a variable, for what is compiled once reads what it holds at each step."""
        if position not in self._noise:
            self._noise[position] = tf.Variable(noise, shape=[None, *noise.shape[1:]],
                                                dtype=self.dtype, trainable=False)
        self._noise[position].assign(np.asarray(noise, self.dtype))
        return self._noise[position]

    def _labels(self, y):
        """Labels as the model takes them, with some for outputs that have no loss, too."""
        if isinstance(y, tuple):
            samples = next(len(labels) for labels in y if labels is not None)
            y = tuple(np.zeros((samples, *made.shape[1:]), self.dtype) if labels is None else labels
                      for labels, made in zip(y, self.model.outputs))
        return as_outputs(self.model, self._cast(y))

    def _cast(self, arrays):
        """As `fit` hands it on: numbers with a fraction in Keras's default precision."""
        return mapped(_cast, arrays)


def is_kerass_own(model) -> bool:
    """Whether what the model does for a call is Keras's alone. Its `predict` and `evaluate` then do
    for one batch what `predict_on_batch` and `test_on_batch` do, by the same compiled functions; to
    make a dataset of that batch takes longer than a small network's forward pass."""
    return (type(model).__module__.startswith("keras.src.models.")
            and not any(inspect.isroutine(value) for name, value in vars(model).items()
                        if name not in (*FUNCTIONS, *WRAPPED)))


def _cast(array) -> np.ndarray:
    array = np.asarray(array)
    return array.astype(keras.config.floatx()) if array.dtype.kind == "f" else array


@contextlib.contextmanager
def unfused():
    """Meanwhile TensorFlow joins no operations of what it compiles: a mish joined with what comes
    before it is another formula, which is none for large negative numbers (the declared difference
    `fused_mish`)."""
    options = tf.config.optimizer
    before = options.get_experimental_options().get(REMAPPING, True)
    options.set_experimental_options({REMAPPING: False})
    try:
        yield
    finally:
        options.set_experimental_options({REMAPPING: before})
