"""What a training run leaves behind."""

from dataclasses import dataclass, field


@dataclass(repr=False)
class History:
    """As Keras's: `history` maps loss, accuracy, val_loss ... to a list with a number per epoch."""

    model: object
    params: dict
    epoch: list[int] = field(default_factory=list)
    history: dict[str, list[float]] = field(default_factory=dict)

    def append(self, epoch: int, logs: dict[str, float]) -> None:
        self.epoch.append(epoch)
        for key, value in logs.items():
            self.history.setdefault(key, []).append(value)

    def __repr__(self) -> str:
        """'<History of 3 epochs: loss 0.294, accuracy 0.891>', the last epoch's figures."""
        figures = ", ".join(f"{name} {values[-1]:.4g}" for name, values in self.history.items())
        epochs = f"{len(self.epoch)} epoch{'' if len(self.epoch) == 1 else 's'}"
        return f"<History of {epochs}{': ' if figures else ''}{figures}>"
