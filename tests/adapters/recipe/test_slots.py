"""Texts from memory in a descriptor: an HMAC under the store's key stands for them, nothing else."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from types import ModuleType
from typing import Any

import pytest
from adapters_kit import Lab

from jammi_dagster.artifacts import sidecar_path

Write = Callable[[str, str], ModuleType]

SOURCE = """
    import os
    import pyarrow as pa
    from jammi_dagster import result_table

    def build(password):
        @result_table(reads=[])
        def logins() -> pa.Table:
            return pa.table({"n": [len(password)]})
        return logins

    logins = build(os.environ["DB_PW"])
    """


@pytest.fixture
def logins(module: Write, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Any]:
    """The asset, loaded where the environment holds a password."""

    def load(password: str) -> Any:
        monkeypatch.setenv("DB_PW", password)
        return module("secretive", SOURCE).logins

    return load


def _recorded(lab: Lab) -> dict[str, Any]:
    code: dict[str, Any] = lab.store.producing_descriptor("logins").to_dict()["code"]
    return code


def test_a_secret_moves_the_definition_and_is_not_recorded(lab: Lab, logins: Callable[[str], Any]) -> None:
    """The same password is a hit, another one is not; neither it nor a plain hash of it is in the store."""
    asset = logins("hunter2-hunter2")
    assert lab.run(asset).outcomes == {"logins": "computed"}
    one = _recorded(lab)
    assert lab.run(logins("hunter2-hunter2")).outcomes == {"logins": "reused"}
    other = logins("correct-horse-7")
    ran = lab.run(other)
    assert ran.outcomes == {"logins": "computed"}
    assert ran.why_unpinned("logins") == ""
    moved = {
        name for name, digest in _recorded(lab)["components"].items() if digest != one["components"][name]
    }
    assert "closure variable 'password' of build.<locals>.logins" in moved
    assert all(one["components"][name].startswith("hmac_sha256:") for name in moved)
    assert one["digest"] == _recorded(lab)["digest"]
    assert asset.specs_by_key[asset.key].code_version == other.specs_by_key[other.key].code_version
    stored = b"".join(path.read_bytes() for path in lab.files())
    for password in (b"hunter2-hunter2", b"correct-horse-7"):
        assert password not in stored
        assert hashlib.sha256(password).hexdigest().encode() not in stored


def test_another_key_gives_another_record(
    lab: Lab, logins: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The record of one text differs under two keys: whoever lacks the key cannot guess."""
    found = []
    for key in ("a key of a store, long enough", "another key of it, long enough"):
        monkeypatch.setenv("JAMMI_STORE_KEY", key)
        assert lab.run(logins("hunter2-hunter2")).outcomes == {"logins": "computed"}
        found.append(_recorded(lab)["components"])
    assert found[0].keys() == found[1].keys()
    assert found[0] != found[1]


def test_without_a_key_the_table_is_unpinned(
    lab: Lab, logins: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says which value, and what to set; nothing of the text is recorded."""
    monkeypatch.delenv("JAMMI_STORE_KEY", raising=False)
    lab = replace(lab, options={"catalog": "sqlite://"})
    for password in ("hunter2-hunter2", "correct-horse-7"):
        ran = lab.run(logins(password))
        assert ran.outcomes == {"logins": "computed"}
        why = ran.why_unpinned("logins")
        assert "closure variable 'password' of build.<locals>.logins: its text stands in no source" in why
        assert "set JAMMI_STORE_KEY" in why
    one, other = (
        lab.store.artifacts.read_bytes(sidecar_path(record.artifact_path))
        for record in lab.store.history("logins")
    )
    assert _code(one) == _code(other)
    lab.store.close()


def _code(sidecar: bytes) -> Any:
    return json.loads(sidecar)["descriptor"]["code"]
