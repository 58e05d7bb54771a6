"""Views of a sweep: a W&B workspace and a W&B report, defined in code, and a live page on this machine."""
