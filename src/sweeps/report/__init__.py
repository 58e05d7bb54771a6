"""The report as one document: its texts, and how it becomes Markdown and HTML."""
