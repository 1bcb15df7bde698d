"""The catalogue, a table per family; `making.py` has what the tables share."""
