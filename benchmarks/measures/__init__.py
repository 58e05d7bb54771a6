"""What `make bench` measures, one question a file: `measure(bench, quick)` prints a table and notes results."""
