"""What can be chosen, told from what is there: the YAML of each choice, its card, the docstrings of its code."""
