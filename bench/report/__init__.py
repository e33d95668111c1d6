"""From results to a page: figures, verdicts, tables, plots."""
