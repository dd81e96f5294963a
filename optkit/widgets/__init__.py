"""Figures that answer: the playground and its relatives, in the page and in a notebook."""
