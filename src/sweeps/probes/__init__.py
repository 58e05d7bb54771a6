"""Probes: measurements of networks in training, taken at evaluations. A probe never changes training."""
