"""The same network in PyTorch on the CPU, trained by the loop that its tutorials write."""

import time

import numpy as np

from compare.experiments.performance.cases import layer_data
from compare.experiments.performance.competitors.task import Task, fastest


class TorchLoop:
    """PyTorch is imported when one is made."""

    def __init__(self):
        import torch

        self.torch = torch
        threads = torch.get_num_threads()
        self.versions = {"torch": torch.__version__}
        self.how = (f"a loop over shuffled batches (index, zero_grad, forward, cross-entropy, "
                    f"backward, SGD step, sums of loss and of right predictions), eager, memory "
                    f"in PyTorch's own order and as channels_last, whichever was faster in a "
                    f"trial, on PyTorch {torch.__version__}, {threads} "
                    f"thread{'s' if threads > 1 else ''}.")

    def training(self, case) -> Task:
        x, y = self._data(case)

        def runner(memory_format):
            step = self._step(case, memory_format)
            placed = x.contiguous(memory_format=memory_format)

            def run(steps: int) -> tuple[float, int]:
                began = time.perf_counter()
                self._loop(step, placed, y, case.batch, steps)
                return time.perf_counter() - began, steps * case.batch

            return run

        return self._best_of(runner, max(1, 128 // case.batch))

    def predicting(self, case) -> Task:
        torch = self.torch
        x, _ = self._data(case)

        def runner(memory_format):
            model = build(torch, case.model()).to(memory_format=memory_format).eval()
            placed = x.contiguous(memory_format=memory_format)

            def run(calls: int) -> tuple[float, int]:
                began = time.perf_counter()
                with torch.inference_mode():
                    for _ in range(calls):
                        torch.cat([model(batch).softmax(1) for batch in placed.split(case.batch)])
                return time.perf_counter() - began, calls * len(x)

            return run

        return self._best_of(runner, 1)

    def layer(self, case) -> Task:
        torch = self.torch
        arrays = [torch.from_numpy(np.moveaxis(array, -1, 1) if array.ndim > 2 else array)
                  for array in layer_data(case)]  # (n, ..., C) -> (n, C, ...)

        def runner(memory_format):
            module = build_layer(torch, case.model().layers[0])
            x, dy = (array.contiguous(memory_format=memory_format) if array.ndim == 4
                     else array.contiguous() for array in arrays)
            if x.ndim == 4:
                module = module.to(memory_format=memory_format)
            x.requires_grad_(case.trains)
            module.train(case.trains)

            def run(steps: int) -> tuple[float, int]:
                began = time.perf_counter()
                with torch.inference_mode(not case.trains):
                    for _ in range(steps):
                        y = module(x)
                        if case.trains:
                            torch.autograd.grad(y, [x, *module.parameters()], dy)
                return time.perf_counter() - began, steps * case.batch

            return run

        return self._best_of(runner, max(1, 64 // case.batch))

    def on_bytes(self, case, images, labels):
        torch = self.torch
        pixels = torch.from_numpy(np.ascontiguousarray(images.transpose(0, 3, 1, 2)))
        y = torch.from_numpy(labels)
        step = self._step(case, torch.contiguous_format)
        return lambda steps: self._loop(
            lambda x, y: step(x.float() / 255 - 0.5, y), pixels, y, case.batch, steps)

    def _data(self, case):
        """Images (n, C, H, W) and labels (n,) as tensors."""
        x, y = case.data()
        x = np.ascontiguousarray(x.transpose(0, 3, 1, 2))  # (n, H, W, C) -> (n, C, H, W)
        return self.torch.from_numpy(x), self.torch.from_numpy(y)

    def _step(self, case, memory_format):
        """A function of a batch: trains on it, returns (loss, right predictions) as tensors."""
        torch = self.torch
        source = case.model()
        model = build(torch, source).to(memory_format=memory_format)
        optimizer = torch.optim.SGD(model.parameters(), lr=float(source.optimizer.learning_rate))
        loss_function = torch.nn.CrossEntropyLoss()  # takes logits, as a fused softmax does

        def step(x, y):
            optimizer.zero_grad(set_to_none=True)
            logits = model(x)
            loss = loss_function(logits, y)
            loss.backward()
            optimizer.step()
            return loss.detach(), (logits.argmax(1) == y).sum()

        return step

    def _loop(self, step, x, y, batch: int, steps: int) -> tuple[float, int]:
        """So many steps over shuffled images, as often through them as it takes."""
        loss, hits, done, whole = 0.0, 0, 0, len(x) // batch
        while done < steps:
            order = self.torch.randperm(len(x))
            for start in range(0, min(whole, steps - done) * batch, batch):
                rows = order[start:start + batch]
                value, right = step(x[rows], y[rows])
                loss, hits = loss + value, hits + right
                done += 1
        return float(loss), int(hits)

    def _best_of(self, runner, steps: int) -> Task:
        formats = {"own order": self.torch.contiguous_format,
                   "channels_last": self.torch.channels_last}
        runs = {name: runner(memory_format) for name, memory_format in formats.items()}
        for run in runs.values():
            run(steps)  # warms up
        name, tried = fastest(runs, steps)
        return Task(runs[name], f"{tried} us a sample; taken: {name}")


def build_layer(torch, layer):
    """A layer of `layer_kinds` as a PyTorch module, with fresh weights."""
    nn, config, kind = torch.nn, layer.get_config(), type(layer).__name__
    channels = layer.input_shape[-1]
    window = {"kernel_size": config.get("kernel_size"), "stride": config.get("strides")}
    if config.get("padding") == "same":
        window["padding"] = tuple((size - 1) // 2 for size in config["kernel_size"])
    simple = {"ReLU": nn.ReLU, "MaxPooling2D": lambda: nn.MaxPool2d(2),
              "AveragePooling2D": lambda: nn.AvgPool2d(2),
              "GlobalAveragePooling2D": lambda: nn.Sequential(nn.AdaptiveAvgPool2d(1),
                                                              nn.Flatten()),
              "BatchNormalization": lambda: nn.BatchNorm2d(channels),
              "Dense": lambda: nn.Linear(channels, config["units"]),
              "Conv2D": lambda: nn.Conv2d(channels, config["filters"], **window),
              "Conv1D": lambda: nn.Conv1d(channels, config["filters"], **window),
              "Conv2DTranspose": lambda: nn.ConvTranspose2d(channels, config["filters"], **window),
              "DepthwiseConv2D": lambda: nn.Conv2d(channels, channels, groups=channels, **window),
              "SeparableConv2D": lambda: nn.Sequential(
                  nn.Conv2d(channels, channels, groups=channels, bias=False, **window),
                  nn.Conv2d(channels, config["filters"], 1))}
    return simple[kind]()


def build(torch, source):
    """The scratch model `source` as a PyTorch module that ends in logits, with fresh weights.

    Raises:
        ValueError: for a layer or a setting that no network measured here has.
    """
    nn = torch.nn
    modules = []
    for layer in source.layers:
        config = layer.get_config()
        kind, activation = type(layer).__name__, config.get("activation", "linear")
        if kind == "Conv2D" and config["padding"] == "same":
            modules.append(nn.Conv2d(layer.input_shape[-1], config["filters"],
                                     config["kernel_size"], padding="same"))
        elif kind == "MaxPooling2D":
            modules.append(nn.MaxPool2d(config["pool_size"], config["strides"]))
        elif kind == "Dense":
            modules.append(nn.Linear(layer.input_shape[-1], config["units"]))
        elif kind == "Flatten":
            modules.append(nn.Flatten())
        elif kind != "ReLU":
            raise ValueError(f"Expected layers of the networks measured here. Received: {layer}")
        if kind == "ReLU" or activation == "relu":
            modules.append(nn.ReLU())
    return nn.Sequential(*modules)
