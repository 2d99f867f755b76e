"""Cache policy of a step: the first of run tag, decorator, IO manager and `BYPASS` that states one."""

from __future__ import annotations

import json
from collections.abc import Mapping

import dagster as dg

from jammi_dagster.adapters.metadata_keys import CACHE_TAG, WAIT_TAG
from jammi_dagster.contract import CachePolicy
from jammi_dagster.errors import InvalidField, InvalidPolicy
from jammi_dagster.recording import MOST_SECONDS


def policy_of(value: object, *, where: str) -> CachePolicy:
    """Parse a policy, in upper or lower case. Raise `InvalidPolicy`."""
    try:
        return CachePolicy(value.lower() if isinstance(value, str) else value)
    except ValueError:
        raise InvalidPolicy(value=value, where=where) from None


def effective_policy(
    asset_key: dg.AssetKey, *, tags: Mapping[str, str], decorator: CachePolicy | None, io_manager: CachePolicy
) -> CachePolicy:
    """Return the policy of a step (DESIGN 4, "Policy"). A tag cannot turn a decorator's `BYPASS` into a reuse.

    Raise `InvalidPolicy` for a tag that states none.

    >>> key, use = dg.AssetKey("orders"), CachePolicy.USE
    >>> effective_policy(key, tags={"jammi/cache": "bypass"}, decorator=use, io_manager=use).value
    'bypass'
    """
    if decorator is CachePolicy.BYPASS:
        return decorator
    tagged = _of_tag(asset_key, tags.get(CACHE_TAG))
    return tagged or decorator or io_manager


def longest_wait(tags: Mapping[str, str]) -> float:
    """Return for how many seconds a step may wait for another run that makes the same. Raise `InvalidField`.

    >>> longest_wait({"jammi/most_wait_seconds": "60"})
    60.0
    """
    tag = tags.get(WAIT_TAG)
    try:
        seconds = MOST_SECONDS if tag is None else float(tag)
        if seconds >= 0:
            return seconds
    except ValueError:
        pass
    raise InvalidField(what="run tag", path=WAIT_TAG, value=tag, expected="a number of seconds, at least 0")


def _of_tag(asset_key: dg.AssetKey, tag: str | None) -> CachePolicy | None:
    where = f"run tag {CACHE_TAG}"
    if tag is None:
        return None
    if not tag.lstrip().startswith("{"):
        return policy_of(tag.strip(), where=where)
    try:
        by_asset = json.loads(tag)
    except ValueError:
        raise InvalidPolicy(value=tag, where=where) from None
    policies = {str(key): policy_of(value, where=where) for key, value in by_asset.items()}
    return policies.get(asset_key.to_user_string())
