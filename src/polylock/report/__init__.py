"""What every target installs, as one JSON document and as a page that shows it."""
