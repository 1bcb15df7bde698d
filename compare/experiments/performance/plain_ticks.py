"""Numbers on a logarithmic axis. Importing this loads matplotlib."""

from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator


def plain_ticks(axis) -> None:
    """Numbers such as 0.5, 20 and 1,000 on a logarithmic axis, in place of powers of ten."""
    axis.set_major_locator(LogLocator(10, (1, 2, 5)))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
    axis.set_minor_locator(NullLocator())
