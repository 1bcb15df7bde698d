"""Pictures as SVG, each drawn once: the page shows it inline, and `--out` writes it as a file.

Reading order: drawing.py with charts.css (a picture, and several of them on the sheet of a file),
line_chart.py, matrix.py, tile.py, heatmaps.py with palettes.py and png.py (pictures of arrays).
"""
