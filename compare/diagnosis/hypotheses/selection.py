"""Which hypotheses suit a computation, in the order in which they are to be named.

Where several explain a result equally well the first one is named, so that what is specific and
common comes before what is general and rare.
"""


from compare.diagnosis.computation import Computation, LossComputation, UpdateComputation
from compare.diagnosis.hypotheses.activation_formulas import of_activation_formulas, of_gates
from compare.diagnosis.hypotheses.activations import of_activations
from compare.diagnosis.hypotheses.adaptive_pooling import of_adaptive_pools
from compare.diagnosis.hypotheses.attention import of_attention
from compare.diagnosis.hypotheses.augmentation import of_augmentation
from compare.diagnosis.hypotheses.batch_order import of_inputs, of_timing
from compare.diagnosis.hypotheses.casts import (
    of_casts,
    of_loss_scaling,
    of_low_arithmetic,
)
from compare.diagnosis.hypotheses.colors import of_colors
from compare.diagnosis.hypotheses.embedding import of_embedding
from compare.diagnosis.hypotheses.encoding import of_encoding
from compare.diagnosis.hypotheses.functions import of_functions
from compare.diagnosis.hypotheses.given_numbers import of_given_numbers
from compare.diagnosis.hypotheses.handed_states import of_handed_states
from compare.diagnosis.hypotheses.image_operations import of_image_operations
from compare.diagnosis.hypotheses.image_places import of_places
from compare.diagnosis.hypotheses.image_size import of_image_size
from compare.diagnosis.hypotheses.inner_activations import of_inner_activation
from compare.diagnosis.hypotheses.kernels import of_bias, of_kernels, of_untied_bias
from compare.diagnosis.hypotheses.losses import of_losses
from compare.diagnosis.hypotheses.masks import of_masks
from compare.diagnosis.hypotheses.merging import of_merging, of_noise
from compare.diagnosis.hypotheses.moving_operations import of_moving
from compare.diagnosis.hypotheses.normalization import of_normalization
from compare.diagnosis.hypotheses.norms import of_norms
from compare.diagnosis.hypotheses.omissions import (
    of_activation_unasked,
    of_bias_place,
    of_omitted_channels,
    of_omitted_windows,
    of_wrong_input,
)
from compare.diagnosis.hypotheses.one_sided import of_loss_kinks, of_small_values
from compare.diagnosis.hypotheses.optimizers import of_updates
from compare.diagnosis.hypotheses.pooling import of_pools
from compare.diagnosis.hypotheses.precision import of_rounded_numbers
from compare.diagnosis.hypotheses.product_operations import of_products
from compare.diagnosis.hypotheses.rearrangement import negated, of_results, of_size
from compare.diagnosis.hypotheses.recurrence import of_recurrence
from compare.diagnosis.hypotheses.reducing_operations import of_reductions
from compare.diagnosis.hypotheses.reshaping import of_dense_order, of_shapes
from compare.diagnosis.hypotheses.scale import scaled
from compare.diagnosis.hypotheses.spectral_norm import of_spectral_norm
from compare.diagnosis.hypotheses.steps import of_layer_inside
from compare.diagnosis.hypotheses.weight_gradients import of_passing_on, of_weight_gradients
from compare.diagnosis.hypotheses.windows import of_windows
from compare.diagnosis.hypothesis import Variant
from compare.oracle.layers.convolution import Convolution
from compare.oracle.layers.dense import Dense
from compare.oracle.layers.global_pooling import GlobalPooling
from compare.oracle.layers.pooling import Pooling
from compare.tracing.trace import WHOLE


def variants_for(c: Computation, shape: tuple) -> list[Variant]:
    """All variants for a computation; `shape` is that of what was made."""
    if isinstance(c, UpdateComputation):
        return of_loss_scaling(c) + of_updates(c) + of_rounded_numbers(c)
    if isinstance(c, LossComputation):
        return of_loss_kinks(c) + of_losses(c) + of_rounded_numbers(c)
    return (of_casts(c) + of_layer(c, shape) + of_small_values()
            + of_rounded_numbers(c) + of_low_arithmetic(c))


def of_layer(c, shape: tuple) -> list[Variant]:
    """For a layer, or the activation inside it."""
    found: list[Variant] = []
    layer = c.part in ("", WHOLE)
    if layer and isinstance(c.layer, Convolution):
        found += of_bias(c) + of_kernels(c) + of_windows(c) + of_bias_place(c)
        found += of_omitted_windows(c) + of_omitted_channels(c) + of_activation_unasked(c)
    elif layer and isinstance(c.layer, Dense):
        found += of_bias(c) + of_kernels(c) + of_dense_order(c) + of_bias_place(c)
        found += of_wrong_input(c) + of_omitted_channels(c) + of_activation_unasked(c)
    elif layer and isinstance(c.layer, (Pooling, GlobalPooling)):
        found += of_masks(c) if isinstance(c.x, tuple) else of_pools(c)
        found += of_reductions(c)
        if isinstance(c.layer, Pooling):
            found += of_omitted_windows(c)
    elif layer:
        found += of_masks(c) + of_handed_states(c) + of_recurrence(c)
        found += of_layer_inside(c, shape, of_layer) + of_attention(c)
        found += of_embedding(c) + of_encoding(c)
        found += of_adaptive_pools(c) + of_spectral_norm(c) + of_bias(c) + of_normalization(c)
        found += of_norms(c) + of_given_numbers(c) + of_weight_gradients(c)
        found += of_merging(c) + of_noise(c) + of_augmentation(c) + of_colors(c)
        found += of_places(c) + of_image_size(c) + of_shapes(c)
        found += of_moving(c) + of_image_operations(c) + of_reductions(c) + of_products(c)
        found += of_functions(c)
    inside, alone = of_inner_activation(c), of_gates(c) + of_activations(c)
    found += [*alone, *inside] if c.tensor == "output" else [*inside, *alone]
    found += of_activation_formulas(c) + of_timing(c)
    if c.tensor.endswith("_updated"):
        return found + negated() + scaled()
    batched = c.tensor == "output" or c.tensor.startswith("input_gradient")
    if batched:
        images = len(shape) > 2 and layer
        first = c.config.get("data_format") == "channels_first"
        return (found + of_results(c, shape, images, first) + of_untied_bias(c)
                + (of_passing_on(c) if layer else []))
    return found + of_inputs(c) + of_size(c) + scaled()
