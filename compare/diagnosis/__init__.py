"""Says what is wrong with a tensor: which mistake of a closed catalogue would have made it.

    for finding in report.diagnosis: print(finding)        # of compare.check's report
    compare.diagnose(model, twin, x, y)                    # the same in one call
    diagnosis.diagnose_op(op, config, x)               # one layer, without a network

A cause is named only if the computation with that mistake in it, evaluated by the oracle, explains
what came out to within its own rounding bound, element by element, on numbers drawn for that.
"""

from compare.diagnosis.catalogue import CATALOGUE, Entry
from compare.diagnosis.finding import Cause, Finding
from compare.diagnosis.standalone import diagnose_loss, diagnose_op, diagnose_optimizer

__all__ = ["CATALOGUE", "Cause", "Entry", "Finding", "diagnose_loss", "diagnose_optimizer",
           "diagnose_op"]
