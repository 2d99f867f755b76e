"""The identity of several functions that make one result together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from jammi_dagster.fingerprint.components import Component
from jammi_dagster.fingerprint.hashing import digest, utf8
from jammi_dagster.fingerprint.identity import CodeIdentity


def joined(parts: Sequence[tuple[str, CodeIdentity]], wiring: str) -> CodeIdentity:
    """Join the identities of functions, each with its label; `wiring` spells how their values go from one to another.

    A component and a reason name the label of their function.

        joined([("op clean", clean), ("op total", total)], '{"total": ["clean"]}')
    """
    spelled = [utf8(text) for label, one in parts for text in (label, one.digest)]
    whole = CodeIdentity(
        kind="source",
        digest=digest("joined.v1", utf8(wiring), *spelled),
        components=(Component(kind="wiring", name="", where="", digest=digest("wiring.v1", utf8(wiring))),),
        libraries={},
        outside=(),
        unresolved=(),
    )
    found = whole.with_needs_of([_labelled(label, one) for label, one in parts])
    reasons = [(label, reason) for label, one in parts for reason in one.unresolved]
    return replace(found, unresolved=tuple(with_labels(reasons)))


def with_labels(reasons: Iterable[tuple[str, str]]) -> list[str]:
    """Return reasons with the labels of the functions that have them: a helper may be reached from several.

    >>> with_labels([("op clean", "f reads a file"), ("op total", "f reads a file")])
    ['in op clean and op total, f reads a file']
    """
    found: dict[str, list[str]] = {}
    for label, one in reasons:
        found.setdefault(one, []).append(label)
    return [type(one)(f"in {' and '.join(labels)}, {one}") for one, labels in found.items()]


def _labelled(label: str, code: CodeIdentity) -> CodeIdentity:
    """Name the label in all components of an identity."""
    components = (
        replace(one, kind=f"{label}: {one.kind}", name="" if one.kind == "code_version" else one.name)
        for one in code.components
    )
    return replace(code, components=tuple(components))
