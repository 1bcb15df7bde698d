"""Somebody else's layers, made to take part: any object with a forward and a backward pass.

    conv = compare.wrap(MyConv(...), kernel="W", bias="b", kernel_layout="OIHW",
                        data_format="channels_first", gradients={"kernel": "dW", "bias": "db"})
    compare.check([conv, ...], keras_model, x, y)
"""

from typing import Any

from compare.adapters import own_loss, own_optimizer
from compare.adapters.assembly import assemble
from compare.adapters.conventions import Conventions
from compare.adapters.keras_only import classes_of as keras_classes
from compare.adapters.layer import Wrapped
from compare.adapters.pytorch import TORCH_MISSING, TorchNetwork, from_torch, is_torch
from compare.adapters.spanning import Span
from compare.adapters.untouched import Untouched, untouched

__all__ = ["TORCH_MISSING", "Conventions", "Span", "TorchNetwork", "Untouched", "as_network",
           "assemble", "from_torch", "is_torch", "keras_classes", "notes_on", "takes_part",
           "untouched", "without_backward", "wrap"]


def takes_part(thing) -> bool:
    """Whether this becomes a network beside a reference: a list of layers, a PyTorch module, or
    what says by itself how (`beside`), such as a function of JAX's."""
    return isinstance(thing, (list, tuple)) or is_torch(thing) or hasattr(thing, "beside")


def as_network(thing, twin):
    """The scratch model that such a thing makes beside its twin; see `assemble` and `from_torch`.

    Raises:
        TypeError, ValueError: for what cannot stand beside that twin.
    """
    if isinstance(thing, (list, tuple)):
        return assemble(thing, twin)
    return (from_torch(thing) if is_torch(thing) else thing).beside(twin)


def notes_on(model) -> list[str]:
    """What is to be said of how a candidate was made, sentence by sentence."""
    said = [] if getattr(model, "origin", None) is None else list(model.origin.notes)
    loss: Any = getattr(model, "loss", None)
    if isinstance(loss, own_loss.OwnLoss) and loss.behind_logits:
        said.append(f"{loss.how.name} is a loss of probabilities: behind a softmax or a sigmoid, "
                    "what Keras makes of logits at the ends of their range is not asked of it.")
    return said


def without_backward(model) -> list[str]:
    """The names of a scratch model's layers that were wrapped with backward=None; that of a network
    in one class, if it has no step either."""
    if isinstance(model, Conventions):
        return [model.name] if model.backward is None and model.step is None else []
    return [*(layer.name for layer in model.layers
              if isinstance(layer, Wrapped) and layer.how.backward is None),
            *(span.name for span in getattr(model, "spans", ()) if span.how.backward is None)]


def wrap(obj=None, like=None, **conventions):
    """Lets an object, or two functions, stand for a layer of Keras's, without changing it; or a
    whole network in one class for Keras's network: compare.check(compare.wrap(net), twin, x, y).

    Args:
        obj: somebody's layer or network; None for plain functions, given as `forward` and
            `backward`.
        like: the layer that it claims to be: a Keras layer, one of scratch's, or a config
            dictionary {'class_name': ..., 'config': ...}. Left out, the object gets it from its
            place in a list: `compare.check([wrapped, ...], keras_model, x, y)`. A layer that
            scratch does not have, such as a Keras layer of your own, may be it, too: Keras's own in
            float64 is then the oracle, and what rounding may do is tried out, not proved. Or a
            loss, or an optimizer, or the name of one: then what is returned is ready for `compile`
            of a scratch model, or for `compare.assemble(layers, twin, loss=..., optimizer=...)`.
        forward, backward: names of methods (default: these), or functions; with an object, a
            function is called with it first. backward=None for a port for inference that has no
            backward pass: the network is then checked as with `check(..., gradients=False)`.
        forward_takes, backward_takes: what the two are called with, in their order, of 'x', 'dy',
            'output', 'labels', 'cache', 'learning_rate', 'training' and the weights' names,
            'kernel', 'bias' ...; () for nothing. Of a network 'logits_gradient', too, that of what
            the last softmax or sigmoid reads; of one of several inputs 'x_1', 'x_2' ..., and 'x'
            for a list of them. Default: 'x' and 'dy'; for plain functions
            f(x, kernel, bias), and g(dy, cache) if f returned (output, cache), otherwise
            g(dy, x, kernel, bias).
        forward_gives, backward_gives: what they return, of 'output', 'cache', 'loss',
            'input_gradient', 'kernel_gradient', 'bias_gradient' ..., and 'ignored'. A tuple inside
            names what a list inside has: ('input_gradient', ('kernel_gradient', 'bias_gradient'))
            for (dx, [dW, db]). Of a network also 'logits' in place of the output, 'gradients' for
            those of all weights, by name or in lists, and 'dense/kernel_gradient' for a single one;
            of several inputs 'input_gradient_1' ...
            () where nothing comes back. Default: 'output' and
            'input_gradient'; for plain functions g returns (dx, dkernel, dbias). The first layer
            of a network may leave out or return None for the input's gradient.
        kernel, bias: where the object keeps them: an attribute ('W', 'params.W1'), a function that
            gets the array from the object, or a pair (get, set). A bias that is a row of the
            kernel's matrix: kernel=lambda o: o.W[:-1], bias=lambda o: o.W[-1].
        weights: the same for weights of other names: {'gamma': 'g'}. Of a network
            {'dense/kernel': 'params.W1', 'dense_1/kernel': 'weights.1'}; what is left out is looked
            for by values and shapes, and by what gives Keras's output. Of an optimizer that is not
            handed them, {'weights': 'params'}, with gradients={'weights': 'grads'}: lists.
        kernel_layout: 'OIHW', 'OI' ... or a permutation, see `compare.adapters.kernel_layouts`;
            '(IO)HW' for a depthwise kernel of shape (channels * multiplier, 1, rows, columns).
            Axes of length 1 may be left out or added.
        gradients: where the object keeps the gradients, {'kernel': 'dW', 'bias': 'db'}; or
            'applied', if its backward pass changes the weights at once: then they are recovered
            from the change, (before - after) / learning_rate.
        learning_rate: of such a step, a number or an attribute's name; not needed if the backward
            pass takes it as an argument.
        per_sample: gradients come with a leading axis of samples, to be added up.
        divides_by_batch: the backward pass divides the weights' gradients by the number of samples
            once more (default: no). Where softmax and loss are joined: whether loss and gradient
            are the batch's mean (default: yes for batches), or each by itself:
            {'loss': True, 'gradient': False}.
        data_format: 'channels_first' or 'channels_last'; default: as in `like`.
        flatten_order: 'CHW' or 'HWC', in which a flattening layer puts the numbers; default: the
            order of `data_format`.
        batched: False for one sample at a time, without a batch axis; 'one' with one of length 1.
        batch_axis: -1 for a column for each sample: (features, batch).
        activation: 'apart' if `like` has an activation inside and the object leaves it out.
        labels: 'one_hot' or 'classes', as the object wants them; default: as they are given.
        reset: the name of a method to be called before each backward pass: 'zero_grad'.
        reset_before: 'forward' if it is to be called before each forward pass instead.
        mode: the attribute, or a pair (get, set), that says whether it is in training:
            'is_training'.
        mask: where a Dropout or another layer that draws at random keeps what it drew in the
            last forward pass: an attribute, or a function of the object. Other than 0 is kept.
            Of GaussianNoise what it added, of GaussianDropout what it multiplied.
        lazy: whether its first call makes the weights, in the shapes that they then have.
        loss, loss_takes: of a network, the method that gives the loss, and what it takes; default
            'output' and 'labels'.
        step, step_takes, step_gives: of an optimizer, the method that makes a step, what it takes,
            of 'weights' and 'gradients' (lists; the default), 'weights_by_name',
            'gradients_by_name', 'pairs' of (gradient, weight), or, for one at a time, 'weight',
            'gradient', 'name' and 'cache'; () where it finds them in itself, see `weights` and
            `gradients`. It changes weights in place or returns them; ('weight', 'cache') if
            that is what it gives.
        step, step_takes: of a network, the method that makes one step of training, whose change of
            the weights is judged, 'train_step', 'fit', or a function of the object and what is
            taken; default 'x' and 'labels', and 'learning_rate' can be had.
        layers: in a list, how many of Keras's layers the object stands for, from its place on: 2
            for a flattening and a dense layer in one. It is then judged as a whole, like a network
            in one class, with weights named as there ('dense/kernel') or, where only one of the
            layers has such a weight, as ever. 1 for a dense layer with its softmax that is handed
            the gradient of the probabilities.
        input_shape: (H, W, C) ... of one sample, in Keras's order, where `like` does not tell.

    Returns:
        A layer of scratch's kind if `like` is given, ready for `scratch.Sequential`, otherwise a
        `Conventions`, ready for a list, or by itself for `compare.check`.

    Raises:
        TypeError, ValueError: for arguments that make no sense, named one by one.
    """
    if like is not None and own_loss.is_loss(like):
        return own_loss.as_loss(Conventions(obj, **{"forward_takes": ("output", "labels"),
                                                    **conventions}), like)
    how = Conventions(obj, **conventions)
    if like is not None and own_optimizer.is_optimizer(like):
        return own_optimizer.as_optimizer(how, like)
    if how.layers is not None and like is not None:
        raise ValueError("Expected layers=... with an object in a list beside a network, of which "
                         f"it stands for some layers. Received like={like!r:.60}")
    if how.joined and like is not None:
        raise ValueError("Expected a softmax that is the loss, too, in a list beside the network, "
                         f"which has a loss. Received like={like!r:.60}")
    return how if like is None else how.placed(like)
