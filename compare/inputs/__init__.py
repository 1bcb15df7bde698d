"""What is compared, and on which numbers: twins, named networks, protocols, batches, datasets.

Reading order: benchmark_networks.py, twins.py (from what was handed over to two networks),
starting_tensorflow.py (quietly), training_protocols.py, batches.py, datasets/.
"""
