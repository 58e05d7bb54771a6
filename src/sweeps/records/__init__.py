"""The files of a cell and of a sweep: names, columns, reading, writing, locks, and when a cell is done. No torch."""
