"""The web process: unsubscribe, acknowledge, feeds, each by a random token that can be revoked.

``pages`` answers, ``guard`` limits what comes in and marks what goes out, ``server`` listens beside the daemon's jobs.
Asks nobody who they are, and shows nothing without a token.
"""
