"""Is what readers are told what they must be told?  ``python -m tests.accuracy DIR``.  Not a test; see README.md."""
