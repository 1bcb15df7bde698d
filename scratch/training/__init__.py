"""fit, evaluate, predict: training as Keras spells it, batch after batch, epoch after epoch.

Each file's class stands on that of the one before it: `data.py` (what is handed in), `one_batch.py`
(`train_on_batch` and its like), `evaluation.py` (`evaluate`, `predict`), `trainer.py` (`fit`). What
happens to one batch is in `scratch/learner.py`, where batches come from in `scratch/batches.py`.
"""
