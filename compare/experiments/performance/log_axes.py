"""Logarithmic axes. Importing this loads matplotlib."""

from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator


def log_log(axes, values: list, label: str) -> None:
    """A panel on log-log paper, with a tick at each of the values below."""
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    axes.set_xticks(values, [str(value) for value in values])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xlabel(label)
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)


def plain_ticks(axis) -> None:
    """Numbers such as 0.5, 20 and 1,000 on a logarithmic axis, in place of powers of ten."""
    axis.set_major_locator(LogLocator(10, (1, 2, 5)))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
    axis.set_minor_locator(NullLocator())
