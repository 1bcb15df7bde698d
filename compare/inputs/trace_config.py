"""Whether a trace's config describes what the trace holds: whoever writes a file may write both.

Asked once a model was made of the config, and before anything is computed.
"""

from compare.tracing.configs import each_loss, layer_entries, path_of


def require_shapes(model, trace) -> None:
    """That a trace's outputs are of the shapes that its config gives them, before any is computed.

    Raises:
        ValueError: if the two do not have the same layers, or one's output has another shape.
    """
    model.as_input(trace.x)  # which says the sizes that the model leaves open
    recorded = {part.layer: part.output.shape[1:] for part in trace.parts}
    described = {layer.name: layer.output_shape[1:] for layer in model.layers}
    for name in {**described, **recorded}:
        if described.get(name) != recorded.get(name):
            raise ValueError(
                "Expected a trace of the layers that its own config describes. Received: "
                f"{name!r:.80} with outputs {recorded.get(name)}, described as "
                f"{described.get(name)}")


def require_settings(model, trace) -> None:
    """That a trace's config says everything that its model was made with: what should have come out
    is worked out from it.

    Raises:
        ValueError: for a setting that is left out.
    """
    entries = dict(layer_entries(trace.config))
    said = [(layer, entries[path_of(layer.name)]) for layer in model.layers]
    if model.loss is not None:
        said += [(model.optimizer, trace.compile_config["optimizer"]),
                 *each_loss(model, trace.compile_config["loss"])]
    for thing, entry in said:
        if isinstance(entry, str):  # by its name alone: every setting is the default
            continue
        given = entry.get("config") if isinstance(entry, dict) else None
        if not isinstance(given, dict):
            raise ValueError(f"Expected the trace's config to have the settings of {thing!r:.80}. "
                             f"Received: {given!r:.80}")
        left_out = thing.get_config().keys() - thing.neutral.keys() - given.keys()
        if left_out:
            raise ValueError(f"Expected the trace's config to have every setting of {thing!r:.80}. "
                             f"Received one without: {', '.join(sorted(left_out))}")
