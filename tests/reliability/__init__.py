"""Proofs of what the service promises, with real parts: one module a promise, run as ``-m tests.reliability.NAME``."""
