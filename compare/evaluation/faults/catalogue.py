"""All faults, family after family."""

from collections.abc import Iterator
from dataclasses import replace

from compare.evaluation.faults.accuracy_table import ACCURACY, CLOSE
from compare.evaluation.faults.families import (
    activations,
    adaptive_pooling,
    applications,
    attention,
    attention_masks,
    augmentation,
    averages,
    buffers,
    circle_losses,
    clipping_limits,
    colors,
    constraints,
    conv_lstm,
    convolution,
    convolution_gradients,
    dense,
    einsum,
    embedding,
    encoding,
    functions,
    given_numbers,
    group_normalization,
    grouped_query_attention,
    handed_states,
    image_operations,
    image_places,
    inference_only,
    interpolation,
    joint,
    keras_models,
    keras_side,
    later_updates,
    loss_formulas,
    losses,
    lost_digits,
    low_precision,
    masks,
    merging,
    mixed_precision,
    moments,
    moving_operations,
    multi_head_attention,
    newer_rules,
    noise,
    noise_patterns,
    normalization,
    optimizer_rules,
    optimizers,
    other_convolutions,
    overlaps,
    pairs,
    pooling,
    product_operations,
    products,
    rate_schedules,
    rectifiers,
    recurrent,
    reducing_operations,
    reshaping,
    right_activations,
    right_layers,
    right_training,
    sequences,
    shared_layers,
    spectral_norm,
    textbook_layers,
    ties_and_ends,
    time_distributed,
    training,
    training_loop,
    volumes,
)
from compare.evaluation.faults.fault import Fault, Variant

FAMILIES = (convolution, convolution_gradients, other_convolutions, dense, pooling,
            adaptive_pooling, reshaping, sequences, volumes, interpolation, normalization,
            group_normalization, given_numbers, einsum, embedding, encoding, attention,
            multi_head_attention,
            grouped_query_attention, applications, products,
            noise, augmentation, image_places, colors, rectifiers, activations, merging, losses,
            optimizers, training, keras_side, shared_layers, time_distributed, spectral_norm,
            recurrent, handed_states, conv_lstm, masks, attention_masks, joint,
            moving_operations, image_operations, reducing_operations, product_operations,
            functions,
            # from textbooks, course forums and public issues
            textbook_layers, moments, noise_patterns, loss_formulas, ties_and_ends, lost_digits,
            low_precision, mixed_precision, optimizer_rules, newer_rules, averages, constraints,
            later_updates, clipping_limits, rate_schedules, buffers,
            inference_only, training_loop, keras_models,
            overlaps, circle_losses,
            pairs)
RIGHT = (right_activations, right_layers, right_training)


def variants() -> Iterator[Variant]:
    """Every right variant: clean cases, at which no check may alarm."""
    for family in RIGHT:
        yield from family.variants()


def faults() -> Iterator[Fault]:
    """Every fault of the catalogue, the pairs last."""
    for family in FAMILIES:
        for fault in family.faults():
            yield replace(fault, learns=learns(fault.identifier))


def learns(identifier: str) -> bool | None:
    """Whether a network with that fault reaches the accuracy of one without; None if it was not
    measured."""
    if identifier not in ACCURACY:
        return None
    with_it, without = ACCURACY[identifier]
    return with_it >= without - CLOSE


def by_identifier() -> dict[str, Fault]:
    """Every fault under its identifier."""
    return {fault.identifier: fault for fault in faults()}


def chosen(parts: list[str] | None) -> list[Fault]:
    """The faults whose identifier is, or else contains, one of these; all for None.

    Raises:
        ValueError: for a part of no identifier.
    """
    every = by_identifier()
    if parts is None:
        return list(every.values())
    found = {}
    for part in parts:
        own = [part] if part in every else [name for name in every if part in name]
        if not own:
            raise ValueError("Expected a fault's identifier, or a part of some. "
                             f"Received: {part!r}")
        found.update({name: every[name] for name in own})
    return list(found.values())
