"""Tags and config of a run that say which materializations it reads, and which names it moves."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from jammi_dagster.adapters.metadata_keys import MOVES_TAG, PIN_TAG
from jammi_dagster.errors import InvalidField

_SPELLED = {"true": True, "false": False}
_OF_ONE = f"{PIN_TAG}/"
_AT = "JSON from table to the id of a materialization, a sequence, or a time"
_CONFIG_OF_RUN = "none in code: give pins in the run config of one run, or as its tag"


def tags_of_launch(
    tags: Mapping[str, str], run_config: Mapping[str, Any], resource_defs: Mapping[str, Any]
) -> Mapping[str, str]:
    """Give the tags of a run, with the pins of its run config among them: those of its IO managers on result stores.

    Raise `InvalidField` for pins that are none, that code gives for every run, or that a tag gives otherwise.
    """
    found, given = dict(tags), pins_of(tags)
    for key, resource in resource_defs.items():
        kind = getattr(resource, "configurable_resource_cls", None)
        if not hasattr(kind, "result_store") or "pins" not in getattr(kind, "model_fields", ()):
            continue
        schema = resource.config_schema.as_field()
        path = f"resources.{key}.config.pins"
        if fixed := schema.default_provided and (schema.default_value or {}).get("pins"):
            raise InvalidField(what="IO manager", path="pins", value=fixed, expected=_CONFIG_OF_RUN)
        pins = (((run_config.get("resources") or {}).get(key) or {}).get("config") or {}).get("pins") or {}
        for table, at in _checked(pins, path=path).items():
            if given.setdefault(table, at) != at:
                expected = f"{given[table]}, as another pin of the run says, or no pin besides that"
                raise InvalidField(what="run config", path=path, value=at, expected=expected)
            found[_OF_ONE + table] = at
    return found


def _checked(pins: object, *, path: str, what: str = "run config", shown: object = None) -> dict[str, str]:
    """Give pins as texts. Raise `InvalidField` for anything but a mapping from table to a place in its history."""
    if not isinstance(pins, Mapping) or not all(type(at) in (str, int) for at in pins.values()):
        raise InvalidField(what=what, path=path, value=shown or pins, expected=_AT)
    return {str(table): str(at) for table, at in pins.items()}


def pins_of(tags: Mapping[str, str]) -> dict[str, str]:
    """Map each table that a run takes from a named materialization to the text that names it. Raise `InvalidField`.

    >>> pins_of({"jammi/pin": '{"orders": 12}', "jammi/pin/prices": "2026-03-01"})
    {'orders': '12', 'prices': '2026-03-01'}
    """
    found: dict[str, str] = {}
    if PIN_TAG in tags:
        try:
            listed = json.loads(tags[PIN_TAG])
        except ValueError:
            listed = None
        found.update(_checked(listed, what="run tag", path=PIN_TAG, shown=tags[PIN_TAG]))
    found.update((key.removeprefix(_OF_ONE), tag) for key, tag in tags.items() if key.startswith(_OF_ONE))
    return found


def moves_of(tags: Mapping[str, str]) -> bool:
    """Tell whether a run moves the names of the tables that it makes: unless it has pins, or as its tag says.

    Raise `InvalidField` for a tag that says neither.

    >>> moves_of({}), moves_of({"jammi/moves": "false"}), moves_of({"jammi/pin": '{"orders": 12}'})
    (True, False, False)
    """
    tag = tags.get(MOVES_TAG)
    if tag is None:
        return not pins_of(tags)
    if tag.strip().lower() not in _SPELLED:
        raise InvalidField(what="run tag", path=MOVES_TAG, value=tag, expected="true or false")
    return _SPELLED[tag.strip().lower()]
