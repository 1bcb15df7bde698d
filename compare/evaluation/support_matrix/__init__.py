"""What of Keras is supported, argument by argument: the page `compare/guides/SUPPORT.md`.

    python -m compare.evaluation.support_matrix > compare/guides/SUPPORT.md

Nothing on that page is kept by hand but the values that are tried: classes and arguments come from
the installed Keras, and each value that Keras itself takes is handed over to scratch, which takes
it or refuses it. Declared differences are those of `compare.evaluation.deviations`.

Reading order: trial.py (one value handed over), values.py (which values), outcome.py (what became
of all of them, one row for an argument), layers.py, parts.py (losses, metrics, optimizers and the
like), models.py (kinds of model, methods, callbacks, files), markdown.py, page.py. For the command
`parity support`: of_class.py (one class), of_model.py (all layers of a model), answer.py.
"""
