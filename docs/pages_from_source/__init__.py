"""The pages of the reference that are generated from the source.

Commands come from the command line, keys from the schemas, settings, presets and exit
codes from their tables. ``make reference`` writes the pages into ``docs/reference``,
and a test compares them with the committed ones. This is a tool for the documentation
and not a part of the package.
"""
