"""For those who publish wheels: an index checked, extended, and tried on machines."""
