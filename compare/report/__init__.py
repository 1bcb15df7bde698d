"""What people read: the Report with its tables and sentences, JUnit, GitHub, page, figures.

Reading order: report.py with row_table.py, narrative.py (the verdict for a first reader),
failing_tensor.py and figures/ (it drawn), junit.py, github_annotations.py, page.py (HTML) with
network_layout.py, page_network.py, page_rows.py and page_heatmaps.py, notebook.py; timing.py (how
long a check took).
"""
