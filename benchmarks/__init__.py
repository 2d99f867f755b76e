"""What the package costs, measured against a baseline in the same run: `python -m benchmarks [NAME …]`.

Memory, imports and whole pipelines are measured in fresh processes. `report` holds the results, `fresh` starts the
processes; `funnel`, `step`, `import_time` and `chain` are the benchmarks, the other modules what they run.
"""
