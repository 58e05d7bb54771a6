"""Where people look at a sweep: the W&B workspace and report as code, and a live page on this machine."""
