"""Reports as HTML: whole pages that need nothing but themselves, and fragments for notebooks.

Reading order: markup.py (elements, everything escaped), page.py with page.css and page.js (the
frame of every page), png.py, colours.py and heatmaps.py (pictures of tensors), chart.py (curves),
network.py (the network, coloured), rows.py (rows that open), sections.py (what other reports say
in words and tables), then a file for each kind of page: report.py, benchmark.py (with curves.py,
confusion.py, images.py), campaign.py (with runs.py, and recorded.py for the check of its twins);
notebook.py for Jupyter.
"""
