"""Benchmarks: the costs of the package against a baseline of the same run: `python -m benchmarks [NAME …]`.

Memory, imports and whole pipelines are measured in fresh processes. `report` holds the results, `fresh` starts the
processes; `funnel`, `step`, `import_time`, `chain`, `fingerprint`, `scale` and `tick` are the benchmarks, the other
modules serve them. Three more judge instead of measuring: `precision` (how many pure functions are pinned), `mutants`
(is a change of behaviour seen) and `oracle` (is every table right after any edit).
"""
