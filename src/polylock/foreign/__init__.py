"""Lock files of other tools, read for the versions that they pin."""
