"""Benchmarks: the costs of the package against a baseline of the same run: `python -m benchmarks [NAME …]`.

Memory, imports and whole pipelines are measured in fresh processes. `report` holds the results, `fresh` starts the
processes; `funnel`, `step`, `import_time`, `chain`, `fingerprint`, `scale` and `tick` are the benchmarks, the other
modules serve them.
"""
