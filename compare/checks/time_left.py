"""How much of a check's time each of its steps takes, for a bar that tells what is left.

Measured on MobileNetV2, ResNet and U-Net at images of 32x32; other networks differ, and the bar
corrects itself as it goes.
"""

from compare.checks import layerwise, training_trajectory
from compare.checks.gate import Gate

RECORDING = {"Running Keras": 5.0, "Running the candidate": 3.0}
LAYERS = {layerwise.TITLE: 7.0}
PROBES = {f"Gate '{gate}', layer by layer": share for gate, share in (
    (Gate.WHOLE_NUMBERS, 4.0), (Gate.FEW_TERMS, 8.0), (Gate.EXTREMES, 24.0))}
WHOLE = {f"Gate '{Gate.WHOLE_NETWORK}'": 4.0, f"Gate '{Gate.UPDATE}', later steps": 3.0,
         f"Gate '{Gate.WHOLE_NETWORK}': predict and evaluate": 10.0}
COMPILING, STEP = 16.0, 3.0  # of the gate 'lockstep', once and for each step


def shares(probes: bool, steps: int, all_layers: bool) -> dict[str, float]:
    """By the steps' titles, for a check with or without probes, of so many training steps, of all
    layers and the network or of some alone."""
    found = {**RECORDING, **LAYERS, **(PROBES if probes else {})}
    if all_layers:
        found |= WHOLE
        if steps:
            found[training_trajectory.TITLE] = COMPILING + STEP * steps
    return found
