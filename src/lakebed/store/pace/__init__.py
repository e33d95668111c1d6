"""How much a store is asked at once, how fast, and how often again.

`Level`, `Rate` and `Bucket` are arithmetic over a clock that is handed in; threads meet them in
`Pace`, one for each endpoint of the process, which `Paces` hands out.
"""
