"""For publishers of wheels: an index is checked, extended and tried on machines."""
