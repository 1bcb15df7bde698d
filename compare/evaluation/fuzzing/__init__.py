"""Random networks over the whole vocabulary, each built in both worlds and checked in every way.

    from compare.evaluation import fuzzing
    outcome = fuzzing.judge(fuzzing.draw(seed=0, number=17))

Reading order: specification.py (a network as plain data), grammar.py with layer_grammar.py and
loss_grammar.py (what may be drawn, and which combinations exist), generator.py (network number n of
a seed), property_checks.py (what is checked), shrinking.py (the smallest network that still fails),
coverage.py (what was seen), running.py (many of them, as jobs), report.py, files.py.
"""

from compare.evaluation.fuzzing.generator import draw
from compare.evaluation.fuzzing.property_checks import Outcome, judge
from compare.evaluation.fuzzing.running import Result, run
from compare.evaluation.fuzzing.shrinking import shrink
from compare.evaluation.fuzzing.specification import Specification

__all__ = ["Outcome", "Result", "Specification", "draw", "judge", "run", "shrink"]
