"""Published statements as criteria on records, and what records say of them: replicated, refuted, or neither."""
