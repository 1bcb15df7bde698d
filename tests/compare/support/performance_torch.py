"""What the tests ask of PyTorch, as generators that a worker runs in another process."""

import numpy as np

from compare.experiments.performance.cases import layer_data
from compare.inputs import benchmark_networks


def outputs(name: str):
    """Yields the outputs (3, 10) of the scratch network and of its copy in PyTorch."""
    import torch

    from compare.experiments.performance.competitors.torch_loop import build

    source = benchmark_networks.NETWORKS[name]((8, 12, 2))
    module = build(torch, source)
    for parameter, weight in zip(module.parameters(), source.get_weights(), strict=True):
        if weight.ndim == 4:
            weight = weight.transpose(3, 2, 0, 1)  # HWIO -> OIHW
        elif weight.ndim == 2:  # rows in the order H, W, C -> columns in the order C, H, W
            shape = source.layers[-2].input_shape[1:]
            weight = weight.reshape(*shape, -1).transpose(3, 2, 0, 1).reshape(weight.shape[::-1])
        parameter.data = torch.from_numpy(np.ascontiguousarray(weight))
    x = np.random.default_rng(0).random((3, 8, 12, 2), dtype=np.float32)
    found = module(torch.from_numpy(np.ascontiguousarray(x.transpose(0, 3, 1, 2)))).softmax(1)
    yield source.forward(x), found.detach().numpy()


def samples(cases):
    """Yields how many samples 5 training steps and 2 calls of predict went through."""
    from compare.experiments.performance.competitors.torch_loop import TorchLoop

    train, predict = cases
    loop = TorchLoop()
    images = np.random.default_rng(1).integers(0, 256, (9, *train.input_shape), dtype=np.uint8)
    loop.on_bytes(train, images, np.arange(9))(4)
    yield loop.training(train).run(5)[1], loop.predicting(predict).run(2)[1]


def layer_shapes(cases):
    """The output shapes of single layers, ours and PyTorch's with the channels turned last."""
    import torch

    from compare.experiments.performance.competitors.torch_loop import build_layer

    ours, theirs = [], []
    for case in cases:
        layer = case.model().layers[0]
        x = torch.from_numpy(np.moveaxis(layer_data(case)[0], -1, 1).copy())
        y = np.moveaxis(build_layer(torch, layer)(x).detach().numpy(), 1, -1)
        ours.append((case.batch, *layer.output_shape[1:]))
        theirs.append(y.shape)
    yield ours, theirs
