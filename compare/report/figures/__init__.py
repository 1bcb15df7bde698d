"""Debugging by looking: the tensor that fails, drawn. Importing what is here loads matplotlib."""
