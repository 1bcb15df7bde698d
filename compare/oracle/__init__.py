"""What each op should give, with a proved bound on what rounding may do to it.

Reading order: running_error.py (numbers that carry their bound), base.py and registry.py (an oracle
for every kind of layer), layers/, losses/, optimizers.py, expected.py (the oracles on a whole
trace), network.py (one after another along the graph), sampled_rounding.py (what rounding in all of
them together makes of a step).
"""
