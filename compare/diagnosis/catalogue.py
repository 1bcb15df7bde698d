"""The closed catalogue of mistakes: what each is called, what it means, and what to do about it."""

from typing import NamedTuple


class Entry(NamedTuple):
    """One kind of mistake.

    Attributes:
        sentence: what is wrong.
        remedy: what to change.
        phases: where it can be made: 'forward', 'backward', 'loss', 'update'.
    """

    sentence: str
    remedy: str
    phases: tuple[str, ...]


BOTH = ("forward", "backward")
FORWARD, BACKWARD, LOSS, UPDATE = ("forward",), ("backward",), ("loss",), ("update",)

CATALOGUE: dict[str, Entry] = {
    # kernels and biases
    "kernel-flipped": Entry(
        "the kernel is mirrored, as in a convolution in the mathematical sense",
        "Keras correlates: do not flip the kernel going forward; what needs the flipped one is the "
        "input's gradient.", BOTH),
    "kernel-transposed": Entry(
        "the kernel's rows and columns are exchanged",
        "Index the kernel as [row, column, in, out].", BOTH),
    "kernel-channels-swapped": Entry(
        "the kernel's channels are exchanged or in another order",
        "Keras's kernel is (rows, columns, in, out): check which of the last two axes is summed.",
        BOTH),
    "kernel-layout": Entry(
        "the kernel's numbers are read in another order of its axes",
        "Transpose the kernel to Keras's order; a reshape does not do that. Where it lies so on "
        "purpose: compare.wrap(..., kernel_layout=...).", BOTH),
    "transposed-weights": Entry(
        "the weight matrix is transposed",
        "Keras's dense kernel is (in, units): y = x @ kernel, dx = dy @ kernel.T, "
        "dkernel = x.T @ dy. Where it lies so on purpose: compare.wrap(..., kernel_layout='OI').",
        BOTH),
    "bias-missing": Entry(
        "the bias has no effect",
        "Add the bias; its gradient is the sum of dy over all axes but the channels'.", BOTH),
    "bias-doubled": Entry("the bias is added twice", "Add the bias once.", FORWARD),
    "bias-untied": Entry(
        "there is a bias for each position instead of one for each channel",
        "Keep one bias per channel, and sum its gradient over all samples and positions.", BOTH),
    "bias-after-activation": Entry(
        "the bias is added behind the activation",
        "Add the bias first: activation(x @ kernel + bias).", BOTH),
    "gradient-wrong-input": Entry(
        "the weight's gradient is taken at another tensor than the layer's input",
        "Keep the input of this forward pass: dkernel = x.T @ dy, dgamma = sum of dy times the "
        "normalized input.", BACKWARD),
    # windows
    "padding-side": Entry(
        "the padding stands on the wrong side of the image",
        "With 'same', Keras puts total // 2 pixels before the image and the rest after it.", BOTH),
    "padding-amount": Entry(
        "the padding is of another width",
        "With 'same', pad max((ceil(n / s) - 1) s + k - n, 0) pixels in total, total // 2 of them "
        "before the image; with 'valid' none.", BOTH),
    "padding-value": Entry(
        "the image is padded with other numbers",
        "Pad a convolution with zeros and a max pooling with minus infinity.", BOTH),
    "shifted": Entry(
        "the result is moved by some pixels",
        "Check at which pixel the first window starts.", BOTH),
    "stride-offset": Entry(
        "the windows start some pixels late",
        "The first window starts at the first pixel of the padded image.", BOTH),
    "stride-ignored": Entry(
        "the strides are ignored or exchanged",
        "The window of output (p, q) starts at (p * rows' stride, q * columns' stride).", BOTH),
    "dilation-ignored": Entry(
        "the dilation is ignored or exchanged",
        "Pixel (i, j) of a window is (i * rows' dilation, j * columns' dilation) from its first.",
        BOTH),
    "groups-ignored": Entry(
        "the channels do not go to the filters of their group",
        "Filter f of group f // (filters / groups) sees the channels of that group alone.", BOTH),
    "overlap-overwritten": Entry(
        "where windows overlap, contributions overwrite each other instead of adding up",
        "Use += where windows meet (with fancy indices np.add.at).", BOTH),
    "calls-not-added": Entry(
        "the gradients that the calls of one layer give are not added up",
        "The gradient of a weight is the sum of what each use of it gives, each counted once.",
        BACKWARD),
    "border-dropped": Entry(
        "part of the border is never computed",
        "Check the loops' last index, and that windows on the padding count.", BOTH),
    "windows-dropped": Entry(
        "only some of the windows are computed",
        "Check where the loops over windows end, and that nothing returns from within them.",
        BOTH),
    "channels-dropped": Entry(
        "only some of the channels are read", "Sum over all input channels.", BOTH),
    # order
    "axes-permuted": Entry(
        "axes are exchanged or turned around",
        "Check every transpose and reshape: images are (batch, rows, columns, channels).", BOTH),
    "flatten-order": Entry(
        "the numbers of an image are flattened in another order",
        "Flatten row by row with the channels last, or permute the next layer's kernel.", BOTH),
    "batch-of-one": Entry(
        "a batch of one sample is treated in another way than larger ones",
        "Look for squeeze(), which drops an axis of length 1, and for what depends on the batch's "
        "size.", FORWARD),
    "batch-mixed": Entry(
        "samples are exchanged, repeated or left out",
        "Every sample has to be computed by itself, and gradients of weights have to sum over all.",
        BOTH),
    "outputs-swapped": Entry(
        "the network hands out its outputs in another order",
        "Return the outputs in the order in which the model was given them, a dictionary's by its "
        "keys.", FORWARD),
    "inputs-swapped": Entry(
        "the inputs are taken in another order", "Keep the order of the list of inputs.", BOTH),
    "axis-other": Entry(
        "it goes along another axis",
        "Axes count from 0, which is the batch's, or from -1, the last one, backwards.", BOTH),
    "part-other": Entry(
        "another part of an axis is taken",
        "Places count from 0; a part begins at its first number and ends before the next one's; "
        "the gradient belongs where the numbers came from, and zeros everywhere else.", BOTH),
    "copies-order": Entry(
        "copies stand in another order",
        "tile puts whole copies side by side, repeat each number several times in a row.", BOTH),
    "copies-not-added": Entry(
        "what is used in several places does not get the sum of their gradients",
        "Add up the gradient of all uses: along every axis in which a tensor was repeated.",
        BACKWARD),
    "block-order": Entry(
        "the pixels of a block and the channels lie in another order",
        "Keras's go row by row with the channels last: channel (i * block + j) * channels + k is "
        "pixel (i, j) of the block. PyTorch's pixel_shuffle and unfold have the channels first.",
        BOTH),
    "product-axes": Entry(
        "the product goes along other axes of its factors",
        "y = a @ b: da = dy @ b^T, db = a^T @ dy. Of an einsum exchange the terms: 'ab,bc->ac' has "
        "the gradients 'ac,bc->ab' and 'ab,ac->bc'.", BOTH),
    "reduction-other": Entry(
        "the numbers along the axis are put together in another way",
        "Compare the formula: a sum, a mean, the largest, a variance divided by n.", BOTH),
    "gradient-not-spread": Entry(
        "the gradient does not reach all numbers that were put together",
        "Each number of a sum gets the sum's gradient, of a mean 1 / n of it.", BACKWARD),
    # numbers
    "number-other": Entry(
        "the operation's number is another one, or has no effect",
        "Compare the number that stands at the operation.", BOTH),
    "function-other": Entry(
        "it is another function of each number",
        "Compare the formula, and its derivative on the way back.", BOTH),
    "scale": Entry(
        "it is off by a factor",
        "Look for a mean where a sum belongs, or a factor used twice. Where 1/N is left to others "
        "on purpose: compare.wrap(..., divides_by_batch=...).",
        ("forward", "backward", "loss", "update")),
    "cancellation": Entry(
        "the formula loses digits in float32; the layer is not wrong otherwise",
        "Write it so that nearly equal numbers are not subtracted: a variance as the mean of "
        "(x - mean)^2, log1p and expm1 near 0, -log(1 + e^-x) as a softplus, erfc for 1 + erf.",
        ("forward", "backward", "loss", "update")),
    "small-values-dropped": Entry(
        "numbers of small magnitude are set to zero", "Keep them: only exact zeros are zero.",
        ("forward", "backward", "loss", "update")),
    "sign": Entry("the sign is wrong", "Turn the sign.", ("forward", "backward", "loss")),
    "gradient-missing": Entry(
        "the gradient is zero", "Compute it, and return or store it.", BACKWARD),
    "gradient-passed-on": Entry(
        "the gradient of the input is the one that came in",
        "Multiply it by the layer's derivative.", BACKWARD),
    # activations
    "mask-missing": Entry(
        "the gradient passes where it should be stopped",
        "Multiply the gradient by the activation's mask.", BOTH),
    "mask-inverted": Entry(
        "the mask is the wrong way round", "Keep what the forward pass kept.", BOTH),
    "mask-wrong-tensor": Entry(
        "the activation's slope is taken at the wrong numbers",
        "Take it at the activation's own input of the same forward pass.", BACKWARD),
    "activation-missing": Entry(
        "the activation is left out", "Apply it, and its slope on the way back.", BOTH),
    "activation-twice": Entry(
        "the activation is applied twice", "Apply it once: in the layer or behind it.", BOTH),
    "activation-other": Entry(
        "it is another activation", "Compare its formula and its settings with Keras's.", BOTH),
    "activation-kink": Entry(
        "at a kink the gradient is another one",
        "At exactly 0, Keras's relu passes nothing back.", BACKWARD),
    # pooling
    "pool-ties": Entry(
        "where several values tie for the maximum, others get the gradient",
        "Give it to the first maximum of the window in row-major order; in global pooling, share "
        "it equally.", BACKWARD),
    "pool-average-padding": Entry(
        "padding is counted by an average",
        "Divide by the number of pixels in the window that lie on the image.", BOTH),
    "pool-kind": Entry("it is another kind of pooling", "Check mean, maximum and minimum.", BOTH),
    "adaptive-windows": Entry(
        "the windows of a given number are cut in another way",
        "Window i of m along n numbers goes from floor(i n / m) to ceil((i + 1) n / m), so that "
        "neighbours may overlap.", BOTH),
    "interpolation": Entry(
        "pixels between those of the image are made in another way",
        "Keras puts the output's pixel o at (o + 1/2) / size - 1/2 among the image's; the weights "
        "there are those of its interpolation.", BOTH),
    "pool-size": Entry("the windows are of another size", "Check pool_size by axis.", BOTH),
    "merge-other": Entry("the inputs are merged in another way", "Check the operation.", BOTH),
    # steps
    "gate-order": Entry(
        "the gates lie in another order in the weights",
        "Keras's columns are those of an LSTM's i, f, c, o and of a GRU's z, r, h; PyTorch's GRU "
        "has r before z.", BOTH),
    "gate-formula": Entry(
        "a gate enters the state in another way",
        "LSTM: c = f c' + i g and h = o tanh(c). GRU: h = z h' + (1 - z) new. Nothing is added to "
        "a gate but its own bias.", BOTH),
    "reset-gate": Entry(
        "the reset gate acts at another place",
        "With reset_after r multiplies h' @ kernel + bias, without it h' itself.", BOTH),
    "recurrent-bias": Entry(
        "the second bias of a GRU is missing or another one",
        "With reset_after the bias has two rows, of the input and of the state before; the second "
        "stands inside what r multiplies, so that each has a gradient of its own.", BOTH),
    "state-not-carried": Entry(
        "a step does not know of the one before it",
        "Begin each step with the states after the one before: h, and c of an LSTM.", FORWARD),
    "gradient-not-carried": Entry(
        "the gradient does not go back from step to step by every way",
        "Add to a step's gradient what the step after it sends back: through the recurrent kernel, "
        "an LSTM's cell, and past a GRU's gates.", BACKWARD),
    "initial-state": Entry(
        "the layer begins with other states than those it is called on",
        "Before the first step stand the initial states in Keras's order: h, and c of an LSTM; of "
        "two directions the first one's before the second one's.", BOTH),
    "returned-state": Entry(
        "other states are put out",
        "Put out the states after the last step that is read, h and then c, behind the output.",
        FORWARD),
    "states-not-kept": Entry(
        "a stateful layer does not go on from its last states",
        "Keep the states after the last step of a batch; the next one begins with them, sample by "
        "sample, until reset_states().", FORWARD),
    "state-gradient": Entry(
        "the gradient of a state that is handed over is lost or another one's",
        "The way back begins with the gradients of the states that are put out, and ends with "
        "those of the initial states, each in its own place.", BACKWARD),
    "other-step": Entry(
        "it is that of another step, or of one in place of all",
        "The state after the last step comes out, of the steps in the order in which they are "
        "read; gradients of weights are summed over all steps.", BOTH),
    "directions": Entry(
        "the two directions are put together in another way",
        "Turn the second layer's states round before they are joined, the first layer's first; "
        "each gets its own part of the gradient.", BOTH),
    "index-offset": Entry(
        "classes are counted from another number", "Class 0 is the first row of the table.", BOTH),
    "encoding": Entry(
        "classes are encoded in another way",
        "Compare output_mode: one_hot makes a row each, multi_hot joins a sample's places by a "
        "maximum, count by a sum.", FORWARD),
    "bin-edges": Entry(
        "a number on a boundary falls into the other bin",
        "A boundary belongs to the bin above it: count the boundaries that are not above x.",
        FORWARD),
    "padding-class": Entry(
        "a class is taken for padding",
        "Without mask_zero class 0 is a class as any other: looked up, and learned.", BOTH),
    "steps-mask": Entry(
        "masked steps are treated otherwise",
        "A masked step leaves the states as they are, puts out what the step before did (with "
        "zero_output_for_mask zeros), has no share in a mean, and sends no gradient to its input.",
        BOTH),
    # attention
    "attention-scale": Entry(
        "the scores are scaled in another way",
        "Attention multiplies by its learned scale alone, MultiHeadAttention by 1 / sqrt(key_dim).",
        BOTH),
    "attention-mask": Entry(
        "keys are hidden from queries that should see them",
        "Without a mask every query sees every key.", FORWARD),
    "heads-order": Entry(
        "heads and their features are taken in another order",
        "Reshape a projection to (batch, steps, heads, size) and then exchange steps and heads by "
        "a transpose.", BOTH),
    "heads-dropped": Entry(
        "the result of a head is lost", "Sum over all heads in the last projection.", BOTH),
    "projection-swapped": Entry(
        "an input is projected by another one's weights",
        "Query, key and value have a kernel and a bias each.", BOTH),
    "gradient-part-missing": Entry(
        "one of the ways by which an input is used sends no gradient back",
        "Add up the gradients of all its uses: as value and as key, or of both factors of x g(x).",
        BACKWARD),
    # softmax
    "softmax-axis": Entry(
        "the softmax goes along another axis", "Sum the exponentials along the last axis.", BOTH),
    "softmax-jacobian-missing": Entry(
        "the softmax's Jacobian is missing, or not whole",
        "dx = y (dy - sum(dy y)); if the loss's gradient is y - target already, start from the "
        "logits.", ("backward", "loss")),
    "softmax-twice": Entry(
        "the softmax is applied twice", "Leave it out of the loss or out of the last layer.", BOTH),
    # normalization
    "epsilon": Entry(
        "epsilon is another one, or in another place",
        "Keras's normalization has 1 / sqrt(variance + epsilon); see the optimizer's formula for "
        "its own.", ("forward", "backward", "update")),
    "spectral-norm": Entry(
        "the kernel is divided by another number than its estimated largest singular value",
        "In training, and only there: v = u W^T / |u W^T|, u = v W / |v W|, then the kernel "
        "becomes W / (v W u^T) and stays so, as u does; gradients are those of the new kernel.",
        BOTH),
    "moving-statistics": Entry(
        "the statistics are the wrong ones",
        "Normalize by biased moments, divided by n: in training by the batch's, through which "
        "gradients pass, and moving = moving * momentum + batch * (1 - momentum); use the averages "
        "at inference.", BOTH),
    "moments-of-all-steps": Entry(
        "the moments are those of all steps together",
        "Keras runs a layer on one step after the other: each step is a batch of its own, and the "
        "moving averages follow once for each.", BOTH),
    "gamma-missing": Entry("gamma has no effect", "Multiply by gamma.", BOTH),
    "normalization-axes": Entry(
        "the moments are taken along other axes",
        "Batch normalization keeps the channels' axis, layer normalization reduces the named axes.",
        BOTH),
    "mean-missing": Entry(
        "the mean is not taken off",
        "y = gamma (x - mean) / sqrt(variance + epsilon) + beta; a variance is the mean of "
        "(x - mean)^2.", BOTH),
    "moments-swapped": Entry(
        "mean and variance are exchanged", "Check the order in which they are returned or stored.",
        BOTH),
    "gamma-beta-swapped": Entry(
        "gamma and beta are exchanged", "y = gamma * normalized + beta.", BOTH),
    "variance-for-deviation": Entry(
        "a variance stands where its root belongs, or the other way round",
        "Divide by sqrt(variance + epsilon), and keep averages of the variance.", BOTH),
    "norm-other": Entry(
        "it is divided by another norm, or by none",
        "Divide by the root of the sum, or of the mean, of the squares along the axis.", BOTH),
    "given-numbers": Entry(
        "the numbers that the layer was given enter in another way",
        "x * scale + offset; (x - mean) / sqrt(variance), the other way round where inverted.",
        BOTH),
    # noise
    "noise-distribution": Entry(
        "the noise follows another distribution",
        "A dropout is 0 with probability rate and else 1 / (1 - rate); Gaussian noise is normal "
        "with a mean of 0 and the deviation stddev.", FORWARD),
    "noise-not-independent": Entry(
        "the draws depend on one another",
        "Draw a number of its own for each element, sample and call.", FORWARD),
    "clip-missing": Entry(
        "numbers beyond the range of values are not clipped",
        "Clip to value_range, and pass no gradient back where that changed a number.", BOTH),
    # images read at other places
    "transformation-inverted": Entry(
        "images are transformed the other way round",
        "The matrix says at which place of the image a pixel of the result is read, not where a "
        "pixel goes. The gradient is read by the inverse of that matrix.", BOTH),
    "transformation-center": Entry(
        "images are transformed about another point",
        "The middle of an image is at ((W - 1) / 2, (H - 1) / 2), between the middles of its first "
        "and last pixels; a shear starts at the first pixel.", BOTH),
    "angle-unit": Entry(
        "the angle is taken in another unit",
        "Degrees are drawn, cos and sin take radians: multiply by pi / 180.", BOTH),
    "fill-mode": Entry(
        "what lies beyond the image is read in another way",
        "reflect repeats the outermost pixel, (b a | a b c | c b); wrap starts anew at the other "
        "end, nearest repeats the last pixel, constant is fill_value, and 0 in the gradient.",
        BOTH),
    "transformation-gradient": Entry(
        "the gradient is the derivative, which Keras's is not",
        "TensorFlow reads dy by the inverse of the matrix, as if it were an image. It is a matter "
        "of convention: right as a derivative, and not what Keras computes.", BACKWARD),
    "color-weights": Entry(
        "the colours are weighted in another way",
        "Grey is 0.2989 red + 0.587 green + 0.114 blue, in this order of the channels.", BOTH),
    # losses
    "loss-sum-for-mean": Entry(
        "the loss is a sum where a mean belongs, or another mean",
        "Divide by the number of losses: the batch, times all axes but the last. Where others do "
        "that: compare.wrap(..., divides_by_batch=False).", LOSS),
    "loss-mean-for-sum": Entry(
        "the loss is a mean where a sum belongs", "Do not divide.", LOSS),
    "loss-clipped": Entry(
        "probabilities are clipped in another way",
        "From logits nothing is clipped; probabilities are kept 1e-7 from 0 and 1.", LOSS),
    "loss-kink": Entry(
        "where the loss has a kink its gradient is another one",
        "The slope of |x| is 0 at exactly 0; a hinge passes its gradient at exactly the margin.",
        LOSS),
    "labels-shifted": Entry(
        "the labels are off by one or more", "Classes count from 0.", LOSS),
    "label-smoothing": Entry(
        "label smoothing is another one", "Use y (1 - s) + s / classes.", LOSS),
    "logits-returned": Entry(
        "the output are the logits, from before the softmax or sigmoid",
        "Apply it at the end; where the loss does, say so: compare.wrap(..., "
        "forward_gives='logits').", FORWARD),
    "from-logits": Entry(
        "logits and probabilities are confused",
        "Set from_logits to whether the output is before the softmax or sigmoid.", LOSS),
    "sample-weight": Entry(
        "weights or ignored classes are treated in another way",
        "Multiply each loss by its weight and divide by the number of losses.", LOSS),
    "loss-weights-missing": Entry(
        "the losses of several outputs are added without their weights",
        "Multiply each output's loss, and its gradient, by its loss weight.", LOSS),
    "loss-weights-swapped": Entry(
        "the losses of several outputs count for each other's weights",
        "Take loss weights in the order of the outputs, or by their names.", LOSS),
    "losses-averaged": Entry(
        "the losses of several outputs are averaged in place of added",
        "Add the weighted losses; divide neither by their number nor by the weights' sum.", LOSS),
    "loss-term-missing": Entry(
        "the loss of one output is not among those that are added",
        "Add the losses of all outputs that have one.", LOSS),
    "loss-other": Entry("it is another loss", "Compare its formula with Keras's.", LOSS),
    "penalty-missing": Entry(
        "the regularizers' penalty is another one", "Add l1 sum|w| + l2 sum w^2 of every weight.",
        LOSS),
    # updates
    "update-sign": Entry(
        "the step goes uphill", "Subtract the learning rate times the gradient.", UPDATE),
    "update-missing": Entry("the weight is not changed", "Apply the step to this weight.", UPDATE),
    "update-before-gradient": Entry(
        "the input's gradient went back through weights that were already updated",
        "Compute all gradients before changing any weight.", BACKWARD),
    "optimizer-setting": Entry(
        "a setting of the optimizer, or its rule, is another one",
        "Compare the formula with Keras's.", UPDATE),
    "optimizer-state": Entry(
        "the optimizer forgets what it should remember from step to step",
        "Keep its slots and its count of steps.", UPDATE),
    "weight-decay": Entry(
        "weights decay in another way",
        "Keras's decay is decoupled: w -= w * weight_decay * learning_rate, before the step.",
        UPDATE),
    "clipping": Entry("gradients are clipped in another way", "Compare with Keras's.", UPDATE),
    "constants-exact": Entry(
        "the rule is right for the numbers that were given, which Keras rounds to float32 first",
        "Nothing is wrong with it. To make Keras's steps, take the betas as "
        "float(np.float32(beta)) where 1 - beta^t is computed.", UPDATE),
    "bias-correction": Entry(
        "what makes up for the means' start at zero is left out",
        "Multiply the rate by sqrt(1 - beta_2^t) / (1 - beta_1^t).", UPDATE),
    "step-size": Entry(
        "the step of a weight is made longer or shorter in another way",
        "Compare what the step is multiplied by with Keras's: norms of the weight and of its step, "
        "clipping of the update, the sides of the matrix.", UPDATE),
    "moving-average": Entry(
        "moving averages of the weights are kept or used in another way",
        "average = momentum * average + (1 - momentum) * weight after each step, the weight itself "
        "at first; it takes the weight's place as ema_overwrite_frequency says and when fit ends.",
        UPDATE),
    "accumulation": Entry(
        "gradients are gathered over several calls in another way",
        "Add them up, divide by gradient_accumulation_steps in the last call of a group, make one "
        "step of that, and begin again from 0.", UPDATE),
    "constraint": Entry(
        "a weight's constraint is another one",
        "Apply it after the optimizer's step, with Keras's formula and its axis.", UPDATE),
    "nesterov": Entry(
        "Nesterov's look-ahead is another one",
        "velocity = momentum * velocity - rate * g, then w += momentum * velocity - rate * g.",
        UPDATE),
    "learning-rate-schedule": Entry(
        "the learning rate changes in another way from step to step",
        "Evaluate the schedule at the number of steps made so far, 0 for the first one.", UPDATE),
    # the training loop
    "update-per-sample": Entry(
        "each sample of a batch makes a step of its own",
        "Sum or average the gradients over the batch, then make one step.", UPDATE),
    "last-batch": Entry(
        "the last batch, which is shorter, is left out, filled up or counted as a full one",
        "Train on it as it is, and divide by its own size.", UPDATE),
    "batch-order": Entry(
        "an epoch takes the samples in another order",
        "Without shuffling take them as they come.", UPDATE),
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
    "training-flag": Entry(
        "the model behaves at inference as in training, or the other way round",
        "Hand the flag training on to every layer; nothing is scaled at inference.", BOTH),
    # said by the gates themselves
    "specification": Entry(
        "the two networks are not specified alike",
        "Give both the same layers, settings, loss, optimizer and weights, then check again.",
        ("forward", "backward", "loss", "update")),
    "shape": Entry(
        "the result has another shape, or there is none",
        "Return an array of the expected shape.", ("forward", "backward", "loss", "update")),
    "input-gradient-missing": Entry(
        "the layer returns no gradient of its input",
        "Return it from the backward pass. A first layer need not: compare.wrap(..., "
        "backward_gives=()) says that it never does, and nothing is asked of it.", BACKWARD),
    "weight-gradient-missing": Entry(
        "there is no gradient of the weight",
        "Compute it in the backward pass. Of a wrapped layer say where it is kept, "
        "compare.wrap(..., gradients={'NAME': 'attribute'}), or that it is returned, "
        "backward_gives=('input_gradient', 'NAME_gradient'), or that the weights are changed at "
        "once, gradients='applied'.", BACKWARD),
    "raised": Entry(
        "it raises an error", "Mend what the message names.",
        ("forward", "backward", "loss", "update")),
    # found by running
    "gradient-accumulated": Entry(
        "gradients add up from call to call", "Clear or overwrite them in every backward pass.",
        BACKWARD),
    "input-modified": Entry(
        "what goes in is changed in place", "Work on a copy, or write results to a new array.",
        BOTH),
    "state-leak": Entry(
        "the result depends on what was run before",
        "Keep nothing from one call to the next but what the backward pass needs.", BOTH),
    "output-overwritten": Entry(
        "what a call returned is overwritten by the next call",
        "Return an array of its own in each call, or a copy of the work buffer.", BOTH),
    "stale-weights": Entry(
        "the weights are those of an earlier call",
        "Read the weights in each call; keep no copy of them, nor of their transpose.", BOTH),
    "low-precision": Entry(
        "some of the arithmetic is of lower precision", "Keep float32 throughout.",
        ("forward", "backward", "loss", "update")),
    "cast-missing": Entry(
        "a cast to the precision in which the layer computes is missing",
        "Round what the layer reads, and its weights, to the compute dtype of its policy first.",
        BOTH),
    "loss-scale": Entry(
        "the scale of the loss is left in the gradients, or counts more than once",
        "Multiply the loss by the scale once, and divide every gradient by it once, before "
        "clipping.", UPDATE),
    "step-not-skipped": Entry(
        "a step is made although gradients are not finite",
        "Look at the gradients first: if any is infinite or NaN leave weights and slots alone, and "
        "halve the scale.", UPDATE),
    "nan": Entry(
        "there are numbers that are not finite where there should be none",
        "Look for a division by 0, the logarithm of 0, or exp of a large number (take the maximum "
        "off first).", ("forward", "backward", "loss", "update")),
}
