"""Random changes of real input, for every parser of what comes from elsewhere."""
