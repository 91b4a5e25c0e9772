"""PRETENDS: serves a folder of recorded dataset days as the registry's API does, over HTTP or in the same process.

``days`` and ``folder`` hold the dataset; ``answers``, ``parameters`` and ``fields`` know the API; ``faults`` misbehaves
when told; ``playback`` joins them; ``server`` and ``adapter`` are the two ways to ask.
"""
