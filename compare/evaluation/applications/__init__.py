"""Every network of keras.applications: whether it loads, predicts and trains as in Keras, and what
a check of it costs.

`python -m compare.evaluation.applications` measures them, each in a process of its own, and keeps
what it found in `measured.json`, from which the support guide has its table.
"""
