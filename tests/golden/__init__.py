"""Whole digests, kept as files, so that a change of words or of layout is read by somebody before it is sent.

``python -m tests.golden`` rewrites them; read the difference as text, and look at the HTML in a browser.
"""
