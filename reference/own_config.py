"""A live model's config, with what Keras leaves out of it."""

from reference.quiet import keras

# whose config names the precision of weights, which they have none of, in the place of the policy
FORGETFUL = (keras.layers.SpatialDropout1D, keras.layers.SpatialDropout2D,
             keras.layers.SpatialDropout3D)


def config_of(model) -> dict:
    """Its `get_config()`, with the policy in which spatial dropouts compute: Keras's own says
    float32 of one that is of mixed_float16.

    Raises:
        ValueError: for a layer inside, or a model, that has no config.
    """
    try:
        config: dict = model.get_config()
    except NotImplementedError as error:
        raise ValueError("Expected layers and models that have a config. Received: "
                         f"{_without(model)}, whose class has no get_config that gives its "
                         "arguments. Give it one, or write its call out in the functional model"
                         ) from error
    for layer, entry in _entries(model, config):
        if isinstance(layer, FORGETFUL):
            entry["config"]["dtype"] = layer.dtype_policy.name
    return config


def _without(model) -> str:
    """The class and the name of the layer or model inside that has no config."""
    for layer in getattr(model, "layers", ()):
        try:
            layer.get_config()
        except NotImplementedError:
            return _without(layer) if isinstance(layer, keras.Sequential) else \
                f"{type(layer).__name__} {layer.name!r}"
    return f"{type(model).__name__} {model.name!r}"


def _entries(model, config: dict):
    """(layer, its entry in the config), those of models inside the model among them."""
    named = {layer.name: layer for layer in getattr(model, "layers", ())}
    for entry in config.get("layers", ()):
        inside = entry.get("config")
        layer = named.get(inside.get("name")) if isinstance(inside, dict) else None
        if layer is not None:
            yield layer, entry
            yield from _entries(layer, inside)
