"""From the files of a sweep to frames; what cannot be trusted is listed, never averaged in."""
