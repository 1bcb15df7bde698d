"""Mistakes that people make and for which the diagnosis has no name yet.

A fault may expect one of these: its name, and the sentence and remedy that a finding should have.
Once the diagnosis can name a mistake it belongs into `compare.diagnosis.catalogue` and is no longer
here; a name never stands in both.
"""

from compare.diagnosis.catalogue import BACKWARD, BOTH, LOSS, UPDATE, Entry

UNNAMED: dict[str, Entry] = {
    # layers
    "windows-dropped": Entry(
        "only some of the windows are computed",
        "Check where the loops over windows end, and that nothing returns from within them.",
        BOTH),
    "channels-dropped": Entry(
        "only some of the channels are read", "Sum over all input channels.", BOTH),
    "bias-after-activation": Entry(
        "the bias is added behind the activation",
        "Add the bias first: activation(x @ kernel + bias).", BOTH),
    "gradient-wrong-input": Entry(
        "the weight's gradient is taken at another tensor than the layer's input",
        "Keep the input of this forward pass: dkernel = x.T @ dy.", BACKWARD),
    # the training loop
    "batch-order": Entry(
        "the batches come in another order",
        "Shuffle samples and labels together, anew in each epoch.", UPDATE),
    "metrics-after-update": Entry(
        "loss and metrics are those of the weights after the update",
        "Report what the forward pass of the step computed.", LOSS),
}
