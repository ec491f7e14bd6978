"""Lock files of other tools, read for their pins."""
