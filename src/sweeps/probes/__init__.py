"""Measurements. A probe never changes training."""
