"""Roots of every kind that a test may want."""

from __future__ import annotations

import uuid
from pathlib import Path

import pytest
from s3_kit import s3_url

from jammi_dagster.artifacts import ArtifactRoot

__all__ = ["s3_url"]


@pytest.fixture
def local_root(tmp_path: Path) -> ArtifactRoot:
    return ArtifactRoot(str(tmp_path / "root"))


@pytest.fixture
def memory_root() -> ArtifactRoot:
    return ArtifactRoot(f"memory://{uuid.uuid4().hex}")


@pytest.fixture(params=["local", "memory", "s3"])
def root(request: pytest.FixtureRequest) -> ArtifactRoot:
    """The same behaviour is asked of every kind of root."""
    if request.param != "s3":
        found: ArtifactRoot = request.getfixturevalue(f"{request.param}_root")
        return found
    url, options = request.getfixturevalue("s3_url")
    return ArtifactRoot(f"{url}/{uuid.uuid4().hex}", options)
