"""The oracle of every kind of layer and activation, by definition; each enters the registry itself.

Reading order: dense.py, convolution.py and separable.py, pooling.py and global_pooling.py,
reshaping.py, merging.py, normalization.py, noise.py; activations.py with piecewise.py,
smooth_activations.py and softmax.py.
"""
