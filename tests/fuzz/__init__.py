"""Fuzzing: random changes of real input, for every parser of foreign data."""
