"""Files of a cell and of a sweep: their names, columns, reading, writing and locks; when a cell is done. No torch."""
