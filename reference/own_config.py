"""A live model's config, with what Keras leaves out of it."""

from reference.quiet import keras

# whose config names the precision of weights, which they have none of, in the place of the policy
FORGETFUL = (keras.layers.SpatialDropout1D, keras.layers.SpatialDropout2D,
             keras.layers.SpatialDropout3D)


def config_of(model) -> dict:
    """Its `get_config()`, with the policy in which spatial dropouts compute: Keras's own says
    float32 of one that is of mixed_float16."""
    config: dict = model.get_config()
    for layer, entry in _entries(model, config):
        if isinstance(layer, FORGETFUL):
            entry["config"]["dtype"] = layer.dtype_policy.name
    return config


def _entries(model, config: dict):
    """(layer, its entry in the config), those of models inside the model among them."""
    named = {layer.name: layer for layer in getattr(model, "layers", ())}
    for entry in config.get("layers", ()):
        inside = entry.get("config")
        layer = named.get(inside.get("name")) if isinstance(inside, dict) else None
        if layer is not None:
            yield layer, entry
            yield from _entries(layer, inside)
