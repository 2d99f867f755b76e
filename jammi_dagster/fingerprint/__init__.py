"""What a Python function's result depends on, as far as its code tells: `identify` gives its code identity.

| file | what it answers |
|---|---|
| identity.py | the identity of a function: the seam |
| context.py | what a function uses its Dagster context for |
| values.py, plain.py, callables.py | what a live function holds besides its code |
| graph.py, findings.py | which first-party modules are reached, and what in them reads the outside world |
| modules.py, distributions.py | where a module is, and whose it is |
| source.py, syntax.py, names.py, scopes.py, outside.py, definitions.py | what one source file says |
| running.py | whether a source file is what this process runs |
| hashing.py | the one door to hashing |
"""

from __future__ import annotations

from jammi_dagster.fingerprint.context import context_uses_outside
from jammi_dagster.fingerprint.identity import CodeIdentity, OutsideRead, identify

__all__ = ["CodeIdentity", "OutsideRead", "context_uses_outside", "identify"]
