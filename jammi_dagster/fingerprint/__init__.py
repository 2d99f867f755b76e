"""Code identity: the code that the result of a Python function depends on. `identify` finds it by reading.

| to find or add | go to |
|---|---|
| the identity of a function, its parts and its options | identity.py, reading.py, components.py, author_options.py |
| the identity of several functions together | joined.py |
| a reader, a clock, a harmless call, a mutating method: names as data | known_names/ |
| a kind of live value (closure, default), uses of Dagster's context | live/ |
| the code that a name leads to, findings in it | reach/ |
| state that earlier steps of the process changed | earlier_steps.py |
| the modules of a code location, which fill registries and extend libraries | location.py |
| source files, modules, distributions, settings, running code | sources/ |
| the meaning of one syntax tree: scopes, accesses, side effects | syntax/ |
| hashing, the words of reasons | hashing.py, reasons.py |
| former modules of this package's public names, which hashes keep | first_homes.py |
"""

from __future__ import annotations

from jammi_dagster.fingerprint.author_options import check_dependencies, check_names, scoped_names
from jammi_dagster.fingerprint.components import Component
from jammi_dagster.fingerprint.earlier_steps import note_step
from jammi_dagster.fingerprint.identity import (
    CodeIdentity,
    OutsideRead,
    disk_state,
    edited_files,
    identify,
)
from jammi_dagster.fingerprint.joined import joined, with_labels
from jammi_dagster.fingerprint.live.context_uses import context_uses_outside, is_of_selection, is_of_the_run
from jammi_dagster.fingerprint.live.looks import one_look
from jammi_dagster.fingerprint.live.parameter_uses import members_used_of
from jammi_dagster.fingerprint.location import fix_location
from jammi_dagster.fingerprint.reach.findings import ADDRESS, SET_ORDER

__all__ = [
    "ADDRESS",
    "SET_ORDER",
    "CodeIdentity",
    "Component",
    "OutsideRead",
    "check_dependencies",
    "check_names",
    "context_uses_outside",
    "disk_state",
    "edited_files",
    "fix_location",
    "identify",
    "is_of_selection",
    "is_of_the_run",
    "joined",
    "members_used_of",
    "note_step",
    "one_look",
    "scoped_names",
    "with_labels",
]
