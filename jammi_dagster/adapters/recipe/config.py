"""Config as it enters a descriptor: validated, and with every value from the environment behind the store's key."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import dagster as dg
from pydantic import BaseModel

from jammi_dagster.adapters.assets.graph import GraphSpec
from jammi_dagster.adapters.assets.signature import is_subclass
from jammi_dagster.adapters.assets.spec import TableSpec
from jammi_dagster.adapters.handoff.store_resource import (
    OP_IO_MANAGER,
    UNDESCRIBED,
    ResultStoreResource,
    is_store_backed,
)
from jammi_dagster.adapters.recipe.object_classes import Members
from jammi_dagster.contract import canonical_json
from jammi_dagster.errors import NotCanonical
from jammi_dagster.fingerprint.first_homes import first_home

Keyed = Callable[[str], "str | None"]
CodeOf = Callable[[type, Members], "str | None"]

NO_KEY = (
    "a value from the environment cannot be recorded without a key: set JAMMI_STORE_KEY where the store runs"
)


class NotRecordable(Exception):
    """A config that cannot enter a descriptor; the message is the reason, for the table to be unpinned by."""


def config_of(spec: TableSpec, validated: Any) -> Any:
    """Return the config object that the function would get, made the way Dagster makes it; of a graph, by op."""
    if isinstance(spec, GraphSpec):
        parts = ((node, spec.part_of(node)) for node in validated or {})
        return {
            node: config_of(part, validated[node]) for node, part in parts if part and part.shape.has_config
        }
    kind = spec.shape.config_annotation
    if not spec.shape.has_config:
        return None
    if is_subclass(kind, dg.Config):
        return kind(**kind._get_non_default_public_field_values_cls(validated))  # as Dagster's steps do
    return validated


def described_config(validated: Any, raw: Any, schema: Any, keyed: Keyed) -> Any:
    """Replace by an HMAC each value of `validated` that `raw`, or a default of `schema`, takes from an `EnvVar`.

    `raw` is the config before it was validated, `schema` the op's config field. Raises `NotRecordable`.
    """
    if raw is None and getattr(schema, "default_provided", False):
        raw = schema.default_value
    return _described(validated, raw, getattr(schema, "config_type", None), keyed)


def config_object(config: Any, validated: Any, keyed: Keyed) -> dict[str, str] | None:
    """Return an HMAC of the config as the function sees it; None where it equals the config that Dagster validated.

    Its class may fill in and convert values when it is made (`default_factory`, validators). Raises `NotRecordable`.
    """
    if not isinstance(config, BaseModel):
        return None
    try:
        if canonical_json(config.model_dump(mode="json")) == canonical_json(validated):
            return None
    except (NotCanonical, ValueError):
        pass  # `_hidden` says so
    return hidden(config, keyed)


def described_resource(
    resource: Any, keyed: Keyed, code_of: CodeOf, members: Members = None
) -> dict[str, Any]:
    """Describe a resource by its class, its code and an HMAC for each of its fields, nested resources included.

    `members` are those that the function uses of it (None: all): only their code counts.

    At run time a field no longer shows if it came from the environment, so all are behind the key. Raises
    `NotRecordable` for a resource that is not a `ConfigurableResource`: it has no config to be seen.
    """
    kind = type(resource)
    name = f"{first_home(kind.__module__, kind.__qualname__)}.{kind.__qualname__}"
    if not isinstance(resource, (dg.ConfigurableResource, dg.ConfigurableIOManager)):
        raise NotRecordable(f"resource {name} shows no config: make it a ConfigurableResource")
    values = {name: getattr(resource, name) for name in kind.model_fields}
    if isinstance(resource, ResultStoreResource):
        values = {name: value for name, value in values.items() if name not in UNDESCRIBED}
        values["deployment"] = resource.home
    if is_store_backed(resource):
        # pins say over which inputs a run computes, as anchors do; values of ops pass through their IO manager
        values = {name: value for name, value in values.items() if name not in ("pins", OP_IO_MANAGER)}
    fields = {name: _field(value, keyed, code_of) for name, value in values.items()}
    return {"class": name, "code": code_of(kind, members), "fields": fields}


def _field(value: Any, keyed: Keyed, code_of: CodeOf) -> Any:
    if isinstance(value, (dg.ConfigurableResource, dg.ConfigurableIOManager)):
        return described_resource(value, keyed, code_of)
    return hidden(value, keyed)


def _described(validated: Any, raw: Any, schema: Any, keyed: Keyed) -> Any:
    while isinstance(schema, dg.Noneable):  # around each list, dict and default of a Config class
        schema = schema.inner_type
    if isinstance(validated, Mapping):
        fields = getattr(schema, "fields", None) or {}
        return {
            key: _described(value, *_below(key, raw, fields.get(key), schema), keyed)
            for key, value in validated.items()
        }
    if isinstance(validated, list):
        items = raw if isinstance(raw, list) and len(raw) == len(validated) else [None] * len(validated)
        inner = getattr(schema, "inner_type", None)
        return [_described(value, item, inner, keyed) for value, item in zip(validated, items, strict=True)]
    if isinstance(raw, Mapping) and set(raw) == {"env"}:
        return hidden(validated, keyed)
    return validated


def _below(key: str, raw: Any, field: Any, schema: Any) -> tuple[Any, Any]:
    """Return the raw value and the config type of `key`: the given value, otherwise the field's default."""
    given = raw.get(key) if isinstance(raw, Mapping) else None
    if given is None and getattr(field, "default_provided", False):
        given = field.default_value
    return given, getattr(field, "config_type", None) or getattr(schema, "inner_type", None)


def hidden(value: Any, keyed: Keyed) -> dict[str, str]:
    """Return an HMAC in place of a value that may be a secret: not even an error shows it."""
    try:
        plain = value.model_dump(mode="json") if isinstance(value, BaseModel) else value
        text = canonical_json(plain).decode()
    except (NotCanonical, ValueError):  # the latter is pydantic's, for a value that it cannot serialize
        raise NotRecordable(f"a value of type {type(value).__name__} has no canonical JSON") from None
    digest = keyed(text)
    if digest is None:
        raise NotRecordable(getattr(keyed, "why_not", NO_KEY))
    return {"hmac_sha256": digest}
