"""The sentences: which differences one sentence tells, and what it says.  Pure."""
