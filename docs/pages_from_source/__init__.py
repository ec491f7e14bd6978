"""The pages of the reference that are made from the source.

Commands come from the command line, keys from the schemas, settings, presets and exit
codes from their tables. ``make reference`` writes the pages into ``docs/reference``,
and a test compares them with what is committed. This is a tool of the documentation
and no part of the package.
"""
