"""Hypotheses about mistakes, family by family; `selection` has those that suit a computation."""
