"""A report on a lock file: one JSON document, and a page that shows it."""
