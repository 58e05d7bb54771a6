"""The report of a sweep: a file for each of its sections, the document they make, Markdown and HTML, and verify."""
