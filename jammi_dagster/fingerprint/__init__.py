"""What a Python function's result depends on, as far as its code tells: `identify` gives its code identity.

| file | what it answers |
|---|---|
| identity.py | the identity of a function: the seam |
| settings.py, declared.py | what a project and an author say about it |
| components.py | what it consists of, with names to tell |
| context.py | what a function uses its Dagster context for |
| values.py, plain.py, callables.py | what a live function holds besides its code |
| graph.py, quiet.py | which first-party code is reached |
| findings.py, reasons.py | what in it reads the outside world, or cannot be seen |
| routes.py, modules.py, distributions.py | where a name leads, where a module is, and whose it is |
| source.py, units.py, effects.py, annotations.py | what one source file says, statement by statement |
| syntax.py, names.py, scopes.py, outside.py, definitions.py | what a syntax tree says |
| running.py | whether a source file is what this process runs |
| hashing.py | the one door to hashing |
"""

from __future__ import annotations

from jammi_dagster.fingerprint.author_options import check_dependencies, check_names
from jammi_dagster.fingerprint.components import Component
from jammi_dagster.fingerprint.identity import CodeIdentity, OutsideRead, identify
from jammi_dagster.fingerprint.live.context_uses import context_uses_outside

__all__ = [
    "CodeIdentity",
    "Component",
    "OutsideRead",
    "check_dependencies",
    "check_names",
    "context_uses_outside",
    "identify",
]
