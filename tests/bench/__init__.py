"""What the service costs: ``python -m tests.bench``, or ``make bench``.  Not a test; asserts nothing about time."""
