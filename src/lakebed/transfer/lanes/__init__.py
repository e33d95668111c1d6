"""How an object is moved: one file a lane, each with `move(sides, job) -> Moved`, or, where many
are moved at once, with a `BatchLane`. Beside them what several share.

A lane raises DigestRefused (nothing was committed), SourceChanged (not the listed revision any
more), ProofFailed (what was stored was wrong and is removed), or the store's error.
"""
