"""Texts of records: how they look, what figures they hold, which criteria they list, which words changed.  Pure."""
