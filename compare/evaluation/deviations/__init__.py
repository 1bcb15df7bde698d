"""Where scratch differs from Keras on purpose: each case declared, with its reason.

What is not declared here is meant to be as in Keras, and a check that finds otherwise has found a
mistake. The checks read the entries that concern them, `compare/guides/SUPPORT.md` prints all of
them, and each has a test that fails as soon as either side changes.
"""

from compare.evaluation.deviations import configs, kernels, numbers, running
from compare.evaluation.deviations.difference import Difference

ALL: dict[str, Difference] = {entry.name: entry for module in (kernels, numbers, configs, running)
                              for entry in module.ENTRIES}
# What Keras cannot do on every CPU, or does wrongly there: nothing to compare with, so never drawn,
# on any machine, so that a seed draws the same networks everywhere.
NOT_ON_CPU = (*kernels.ENTRIES, numbers.AVERAGE_BEYOND_IMAGE, numbers.BIAS_ALONG_WIDTH)

__all__ = ["ALL", "Difference", "NOT_ON_CPU", "concerning"]


def concerning(subject: str) -> list[Difference]:
    """The entries about 'Layer', 'Layer.argument', 'losses.Class.argument' and the like."""
    return [entry for entry in ALL.values() if subject in entry.concerns]
