"""A loss of somebody's own, right as it is."""


class SquaredError:
    """The mean of squares; it remembers what its way back needs."""

    def forward(self, p, y):
        self.d = p - y
        return (self.d ** 2).mean()

    def backward(self):
        return 2 * self.d / self.d.size
