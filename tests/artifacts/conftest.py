"""Roots of every kind that a test may want."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from jammi_dagster.artifacts import ArtifactRoot


@pytest.fixture
def local_root(tmp_path: Path) -> ArtifactRoot:
    return ArtifactRoot(str(tmp_path / "root"))


@pytest.fixture
def memory_root() -> ArtifactRoot:
    return ArtifactRoot(f"memory://{uuid.uuid4().hex}")


@pytest.fixture(scope="session")
def s3_url() -> Iterator[tuple[str, dict[str, object]]]:
    """A bucket on a real S3 server (moto's), and the options with which s3fs reaches it."""
    import boto3  # type: ignore[import-untyped]
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    endpoint = f"http://{host}:{port}"
    secrets = {"aws_access_key_id": "key", "aws_secret_access_key": "secret"}
    client = boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1", **secrets)
    client.create_bucket(Bucket="bucket")
    client.close()
    # `skip_instance_cache`: a file system that outlives the server would report it when it is collected
    options = {"key": "key", "secret": "secret", "endpoint_url": endpoint, "skip_instance_cache": True}
    yield "s3://bucket", options
    server.stop()


@pytest.fixture(params=["local", "memory", "s3"])
def root(request: pytest.FixtureRequest) -> ArtifactRoot:
    """The same behaviour is asked of every kind of root."""
    if request.param != "s3":
        found: ArtifactRoot = request.getfixturevalue(f"{request.param}_root")
        return found
    url, options = request.getfixturevalue("s3_url")
    return ArtifactRoot(f"{url}/{uuid.uuid4().hex}", options)
