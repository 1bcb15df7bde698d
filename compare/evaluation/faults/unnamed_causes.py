"""Mistakes that people make and for which the diagnosis has no name yet.

A fault may expect one of these: its name, and the sentence and remedy that a finding should have.
Once the diagnosis can name a mistake it belongs into `compare.diagnosis.catalogue` and is no longer
here; a name never stands in both.
"""

from compare.diagnosis.catalogue import BACKWARD, BOTH, FORWARD, LOSS, UPDATE, Entry

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
    # normalization
    "moments-swapped": Entry(
        "mean and variance are exchanged", "Check the order in which they are returned or stored.",
        BOTH),
    "gamma-beta-swapped": Entry(
        "gamma and beta are exchanged", "y = gamma * normalized + beta.", BOTH),
    "variance-for-deviation": Entry(
        "a variance stands where its root belongs, or the other way round",
        "Divide by sqrt(variance + epsilon), and keep averages of the variance.", BOTH),
    # noise
    "noise-distribution": Entry(
        "the noise follows another distribution",
        "A dropout is 0 with probability rate and else 1 / (1 - rate); Gaussian noise is normal "
        "with a mean of 0 and the deviation stddev.", FORWARD),
    "noise-not-independent": Entry(
        "the draws depend on one another",
        "Draw a number of its own for each element, sample and call.", FORWARD),
    # training and inference
    "training-flag": Entry(
        "the model behaves at inference as in training, or the other way round",
        "Hand the flag training on to every layer; nothing is scaled at inference.", BOTH),
    # the training loop
    "update-per-sample": Entry(
        "each sample of a batch makes a step of its own",
        "Sum or average the gradients over the batch, then make one step.", UPDATE),
    "batch-order": Entry(
        "the batches come in another order",
        "Shuffle samples and labels together, anew in each epoch.", UPDATE),
    "last-batch": Entry(
        "the last batch, which is shorter, is left out, filled up or counted as a full one",
        "Train on it as it is, and divide by its own size.", UPDATE),
    "mean-over-batches": Entry(
        "batches of unequal size count alike in a mean",
        "Weight each batch's figure by the number of its samples.", LOSS),
    "metrics-after-update": Entry(
        "loss and metrics are those of the weights after the update",
        "Report what the forward pass of the step computed.", LOSS),
    "frozen-weights": Entry(
        "weights that are frozen change", "Leave out what is not trainable.", UPDATE),
    "preprocessing": Entry(
        "inputs are prepared in one way for training and in another one for inference",
        "Apply the same preprocessing in both.", FORWARD),
}
