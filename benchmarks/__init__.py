"""Benchmarks: the costs of the package against a baseline of the same run: `python -m benchmarks [NAME …]`.

Memory, imports and whole pipelines are measured in fresh processes. `report` holds the results, `fresh` starts the
processes. Each module with an `ABOUT` is a benchmark, the others serve them; `__main__` lists them. Four judge instead
of measuring: `faults` (does a fault at any operation lose a table), `precision` (how many pure functions are pinned),
`mutants` (is a change of behaviour seen) and `oracle` (is every table right after any edit).
"""
