"""What a training run leaves behind."""

from dataclasses import dataclass, field


@dataclass
class History:
    """As Keras's: `history` maps loss, accuracy, val_loss ... to a list with a number per epoch."""

    model: object = field(repr=False)
    params: dict
    epoch: list[int] = field(default_factory=list)
    history: dict[str, list[float]] = field(default_factory=dict)

    def append(self, epoch: int, logs: dict[str, float]) -> None:
        self.epoch.append(epoch)
        for key, value in logs.items():
            self.history.setdefault(key, []).append(value)
