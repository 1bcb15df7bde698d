"""The smallest case on which a layer still fails, and its pytest file.

Reading order: case.py (ways to cut a case down), minimize.py (cutting as far as it still fails),
reproducer.py (the test file).
"""
