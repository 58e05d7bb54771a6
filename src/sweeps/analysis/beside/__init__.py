"""Two sweeps of the same cells beside each other: what is equal, what moved, and whether a conclusion changes."""
