"""Differences between a recorded definition and the present one, in words and as data.

An explanation stands beside the engine's verdict, never within its JSON. The parts of a `dagster_asset` descriptor and
of its environment are compared one by one; of any other producer's descriptor, only the changed fields are named.

Not done here: no verdict and no I/O. `sensing` decides if a table is stale; this module says why its definition moved.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jammi_dagster.contract.anchors import InputAnchor, in_words, is_written
from jammi_dagster.contract.dbt_versions import dbt_change

_ABSENT: Any = object()
_MOST_NAMED = 5  # a fan-in may have ten thousand inputs: a text names a few


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One part of a definition that changed.

    Attributes:
        kind: `code`, `library`, `python`, `device`, `config`, `resource`, `inputs`, `input`, `env` or `descriptor`.
        name: its name, such as `helper clean (pipelines/text.py)`, `polars` or `config.alpha`.
        before: the recorded value; its digest where only that is recorded, None if the part was added.
        after: the present value, likewise; None if the part was removed.
        text: the difference in words, such as `config.alpha 0.5 -> 0.7`.
    """

    kind: str
    name: str
    before: Any
    after: Any
    text: str

    def to_dict(self) -> dict[str, Any]:
        """Return the difference as a JSON object."""
        return {
            "kind": self.kind,
            "name": self.name,
            "before": self.before,
            "after": self.after,
            "text": self.text,
        }

    def __str__(self) -> str:
        return self.text


def explain(
    recorded_descriptor: Mapping[str, Any],
    recorded_env: Mapping[str, Any],
    current_descriptor: Mapping[str, Any],
    current_env: Mapping[str, Any],
    *,
    recorded_inputs: Iterable[str] | None = None,
    current_inputs: Iterable[str] | None = None,
) -> list[Difference]:
    """List the differences: code first, then libraries, config, resources, inputs, and everything else.

    The list is empty exactly if the two definitions are the same. Nothing is read, and no shape of descriptor raises.

    Args:
        recorded_descriptor: the descriptor that was recorded with the table.
        recorded_env: the environment that was recorded with it.
        current_descriptor: the descriptor of the present code and config.
        current_env: the present environment.
        recorded_inputs: the names of the recorded anchors. A descriptor holds only a digest of the names of the inputs;
            give
            both lists to learn which were added or removed.
        current_inputs: the names of the inputs that are declared now.

    >>> before = {"producer": "dagster_asset", "config": {"alpha": 0.5}}
    >>> after = {"producer": "dagster_asset", "config": {"alpha": 0.7}}
    >>> print(*explain(before, {}, after, {}))
    config.alpha 0.5 -> 0.7
    """
    old, new = dict(recorded_descriptor), dict(current_descriptor)
    named = list(
        _inputs(old.pop("input_names", None), new.pop("input_names", None), recorded_inputs, current_inputs)
    )
    inputs = _values("input", "input", old.pop("inputs", None), new.pop("inputs", None))
    return [
        *_code(old.pop("code", None), new.pop("code", None)),
        *_env(dict(recorded_env), dict(current_env)),
        *_values("config", "config", old.pop("config", None), new.pop("config", None)),
        *_values("config", "config", old.pop("config_object", None), new.pop("config_object", None)),
        *_values("resource", "resource", old.pop("resources", None), new.pop("resources", None)),
        *named,
        # a changed set of inputs changes their order too: the names say it already
        *(one for one in inputs if not (named and one.name.endswith(".order"))),
        *_values("descriptor", "", old, new),
    ]


def changed_inputs(recorded: Sequence[InputAnchor], current: Sequence[InputAnchor]) -> list[Difference]:
    """List the inputs that are in another state than the recorded one, sorted by source; new and gone ones too.

    >>> before, after = (InputAnchor.result_digest("orders", digit * 64) for digit in "01")
    >>> print(*changed_inputs([before], [after]))
    input orders changed
    """
    old, new = ({anchor.source: anchor for anchor in anchors} for anchors in (recorded, current))
    found = []
    for source in sorted({*old, *new}):
        before, after = old.get(source), new.get(source)
        if before == after and not (before is not None and before.is_unpinned):
            continue
        old_state, new_state = (None if one is None else one.anchor for one in (before, after))
        word = f"changed{dbt_change(old_state, new_state)}"
        if before is None or after is None:
            word = "is new" if before is None else "is gone"
        elif before.is_unpinned or after.is_unpinned:
            word = "has no version to compare"
        text = f"{_named(source)} {word}"
        found.append(Difference(kind="input", name=source, text=text, before=old_state, after=new_state))
    return found


def _named(source: str) -> str:
    return in_words(source) if is_written(source) else f"input {source}"


def _code(old: Any, new: Any) -> Iterator[Difference]:
    if old == new:
        return
    before, after = _of(old), _of(new)
    if before.get("kind") == after.get("kind") == "code_version":
        yield _changed("code", "code_version", *_versions(before, after), shown=True)
        return
    if before.get("kind") != after.get("kind"):
        kinds = (before.get("kind"), after.get("kind"))
        yield _changed("code", "code identity", *kinds, shown=True)
        return
    found = list(_members("code", "", _of(before.get("components")), _of(after.get("components"))))
    yield from found or [_changed("code", "code", before.get("digest"), after.get("digest"))]


def _versions(*codes: Mapping[str, Any]) -> list[Any]:
    return [_of(code.get("components")).get("code_version", code.get("digest")) for code in codes]


def _env(old: dict[str, Any], new: dict[str, Any]) -> Iterator[Difference]:
    yield from _members(
        "library", "", _of(old.pop("libraries", None)), _of(new.pop("libraries", None)), shown=True
    )
    for kind in ("python", "device"):
        before, after = old.pop(kind, None), new.pop(kind, None)
        if before != after:
            yield _changed(kind, kind, before, after, shown=True)
    yield from _values("env", "env", old, new)


def _members(
    kind: str, prefix: str, old: Mapping[str, Any], new: Mapping[str, Any], *, shown: bool = False
) -> Iterator[Difference]:
    for name in sorted({*old, *new}):
        before, after = old.get(name, _ABSENT), new.get(name, _ABSENT)
        if before is _ABSENT or after is _ABSENT or before != after:
            yield _changed(kind, prefix + name, before, after, shown=shown)


def _values(kind: str, name: str, old: Any, new: Any) -> Iterator[Difference]:
    """Yield the innermost values that differ, each named by its path: `config.alpha`."""
    todo: list[tuple[str, Any, Any]] = [(name, old, new)]
    while todo:
        path, before, after = todo.pop()
        if _same(before, after):
            continue
        maps = [isinstance(value, Mapping) and "hmac_sha256" not in value for value in (before, after)]
        empty = [value is _ABSENT or value is None for value in (before, after)]
        if any(maps) and all(is_map or gone for is_map, gone in zip(maps, empty, strict=True)):
            one, two = _of(before), _of(after)
            prefix = f"{path}." if path else ""
            below = [
                (prefix + str(key), one.get(key, _ABSENT), two.get(key, _ABSENT))
                for key in sorted({*one, *two}, key=str)
            ]
            if below:
                todo += reversed(below)
                continue
        yield _changed(kind, path, before, after, shown=True)


def _inputs(
    old: Any, new: Any, recorded: Iterable[str] | None, current: Iterable[str] | None
) -> Iterator[Difference]:
    if old == new:
        return
    if recorded is None or current is None:
        yield _changed("inputs", "inputs", old, new)
        return
    was, now = set(recorded), set(current)
    for word, names in (("added", sorted(now - was)), ("removed", sorted(was - now))):
        if names:
            more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
            text = f"inputs {word}: {', '.join(names[:_MOST_NAMED])}{more}"
            sides = {"before": None, "after": names} if word == "added" else {"before": names, "after": None}
            yield Difference(kind="inputs", name=f"inputs {word}", text=text, **sides)
    if was == now:
        yield _changed("inputs", "inputs", old, new)


def _changed(kind: str, name: str, before: Any, after: Any, *, shown: bool = False) -> Difference:
    """Word one difference; `shown` puts the values into the text if they are short."""
    if before is _ABSENT or after is _ABSENT:
        value = after if before is _ABSENT else before
        word = "added" if before is _ABSENT else "removed"
        text = f"{name} {_shown(value)} {word}" if shown and _is_short(value) else f"{name} {word}"
    elif shown and _is_short(before) and _is_short(after):
        text = f"{name} {_shown(before)} -> {_shown(after)}"
    else:
        text = f"{name} changed"
    plain = [None if value is _ABSENT else value for value in (before, after)]
    return Difference(kind=kind, name=name, before=plain[0], after=plain[1], text=text)


def _same(before: Any, after: Any) -> bool:
    """Compare two values as JSON: 1, 1.0 and true are three values."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        return before.keys() == after.keys() and all(_same(before[key], after[key]) for key in before)
    if isinstance(before, (list, tuple)) and isinstance(after, (list, tuple)):
        return len(before) == len(after) and all(map(_same, before, after))
    return type(before) is type(after) and bool(before == after)


def _is_short(value: Any) -> bool:
    return not isinstance(value, (Mapping, list, tuple)) and len(_shown(value)) <= 40


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else repr(value)


def _of(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
