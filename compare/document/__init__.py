"""What every report is made of: sections, tables, JSON, files, progress, HTML, charts.

Knows no network. Reading order: text.py (pieces that know their tone; nothing hides in them),
sections.py and tables.py (made of those), terminal.py and shortening.py (what fits the terminal),
significance.py (which digits mean something), plain_json.py, files.py (whole or not there),
progress.py, display.py (how a notebook shows a result), markup.py (elements of HTML and SVG,
everything escaped), charts/ (pictures as SVG), figure_style.py (what those share that matplotlib
draws), pictures.py (either kind, as files), html/ (pages).
"""
