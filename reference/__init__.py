"""The same network in Keras alone. TensorFlow starts when this package is imported.

`from_config` and `load` give a real `keras.Sequential`; `observe` runs one batch through it and
returns every layer's output and gradients, `observe_inference` the outputs outside of training;
`EntryPoints` calls its own predict, evaluate and train_on_batch; `StepRunner` trains it on many
batches at once.
"""

from reference.entry_points import EntryPoints
from reference.graph import layers_by_name
from reference.inference import observe_inference
from reference.kernels import onednn_in_use
from reference.loss import run_loss
from reference.model import (
    clone,
    compile_config,
    compile_model,
    compiled_copy,
    from_config,
    load,
    losing_nothing,
    model_dtype,
    set_random_seed,
    versions,
    with_loss_scale,
)
from reference.observe import Observation, Part, observe
from reference.op_run import OpRun
from reference.opened import closed_by, opened
from reference.ops import ops_of, run_op
from reference.optimizer_steps import OptimizerSteps
from reference.outside import in_float64, known, names_of_class, outline, run_outside
from reference.own_config import config_of
from reference.own_draws import drawn_inputs
from reference.second_run import at_the_second_run
from reference.statistics import set_weights
from reference.subclassed import as_graph
from reference.training import StepRunner
from reference.weight_names import weight_of

__all__ = ["EntryPoints", "Observation", "OpRun", "OptimizerSteps", "Part", "StepRunner",
           "as_graph", "at_the_second_run", "clone", "closed_by",
           "compile_config", "compile_model", "compiled_copy", "config_of", "from_config",
           "in_float64", "known", "layers_by_name", "load",
           "losing_nothing", "model_dtype", "names_of_class", "observe", "observe_inference",
           "drawn_inputs", "onednn_in_use", "opened", "ops_of", "outline", "run_loss", "run_op",
           "run_outside", "set_random_seed", "set_weights", "versions", "weight_of",
           "with_loss_scale"]
