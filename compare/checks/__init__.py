"""The gates: each makes one Row for every tensor that it judges.

Reading order: row.py (what a verdict on one tensor says) with excerpt.py (the numbers around its
worst place), specification.py (are both networks the same?), layerwise.py (each op by itself),
probing.py with layers_alike.py, integer_probe.py and sparse_probe.py (on numbers drawn for the
purpose),
extremes.py with extreme_numbers.py and extreme_losses.py (at the ends of the numbers),
noise_distribution.py, end_to_end.py with dataflow.py, training_trajectory.py with
training_batches.py; given_outputs.py with array_layout.py (arrays that somebody else's program
wrote); then what a batch could not have shown: coverage_gaps.py with kink_coverage.py,
nonfinite.py. Besides: chosen_layers.py (some layers alone), time_left.py (for the bar).
"""
