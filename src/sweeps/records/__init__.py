"""The files of one cell: their names, their columns, and writing them so that a kill loses nothing. No torch."""
