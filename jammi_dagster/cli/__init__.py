"""The command `jammi-dagster`: each command reads its target, makes one call, and renders the answer.

Rules:

1. A command never writes to stdout but through `render`: text for people, or one JSON object with a format version.
2. Exit codes: 0 nothing to do, 1 an error, and only for `plan` and `status --exit-code` 2 work to do, 3 undecidable.
3. Modules that take long to import, Dagster first of all, are imported by the commands that need them.

Not done here: a decision. Every answer is one that Python gets from the same call.
"""
