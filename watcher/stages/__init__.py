"""The stages of the pipeline, a module each: check, digest, deliver.

Each works through items one at a time, records each item's outcome in a transaction of its own, and may be repeated at
any moment: what is done is not done again.
"""
