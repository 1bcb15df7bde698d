"""Functions of JAX's, made to take part: `compare.check(compare.from_jax(function, params), ...)`.

The one place that imports JAX, and only once a function is handed over.
"""
