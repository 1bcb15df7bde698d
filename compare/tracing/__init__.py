"""Runs a network op by op and keeps every tensor on the way.

Reading order: trace.py (what is kept) with archive.py (its file), ops.py (a network as ops that run
alone), execution.py (all of them, forward and back), recorder.py (`compare.record`) with
validation.py; then configs.py and model_kinds.py (what was handed over), noise.py, topology.py (the
network's outline), layer_error.py and placeholder.py (when a layer raises).
"""
