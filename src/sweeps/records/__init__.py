"""The records of a sweep on disk: names and columns of the files, atomic writing, checked reading. Imports no torch."""
