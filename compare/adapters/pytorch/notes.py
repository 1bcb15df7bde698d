"""What the report says of how a module's parts were paired with Keras's layers."""

from compare.adapters.pytorch import settings
from compare.adapters.pytorch.pairing import Place
from compare.adapters.pytorch.recording import Call
from compare.tracing.model_kinds import kind


def on_pairs(places: list[Place], calls: list[Call | None], layers: list) -> list[str]:
    """Sentences on who stands for whom, on what is no one's, and on settings that differ.

    Args:
        calls: the partners of the places; None for a place without one.
        layers: Keras's layers, as scratch has them.
    """
    said = []
    paired = [f"{place.name} with {call.title}" for place, call in zip(places, calls)
              if call is not None and not place.inner and call.kind != "dropout"]
    said.append(f"Paired: {', '.join(paired)}.")
    own = [str(place) for place, call in zip(places, calls)
           if (call is None and not place.kind.startswith("ZeroPadding"))
           or (call is not None and (call.kind == "dropout" or place.kind.endswith("Operation")))]
    if own:
        said.append(f"Computed by this project and not by PyTorch: {', '.join(own)}.")
    other = [f"{call} for {place.name}: {words}" for place, call in zip(places, calls)
             if call is not None and not place.inner
             for words in [settings.in_words(call, layers[place.position])] if words]
    if other:
        said.append(f"Settings that differ: {'; '.join(other)}.")
    return said


def on_running_variance(layers: list, declared: str | None) -> list[str]:
    """A sentence on whether it is a difference that PyTorch divides by n - 1."""
    if not any(kind(layer) == "BatchNormalization" and layer.trainable for layer in layers):
        return []
    if declared:
        return ["Declared, and taken off before it is compared: PyTorch's running variance is "
                "unbiased, n / (n - 1) times Keras's."]
    return ["In training PyTorch's running variance is unbiased, n / (n - 1) times Keras's. Where "
            "that is all right, from_torch(module, running_variance='unbiased') declares it."]
