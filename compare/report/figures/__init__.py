"""Debugging by looking: the tensor that fails, drawn. values.py draws SVG,
error_profile.py by matplotlib."""
