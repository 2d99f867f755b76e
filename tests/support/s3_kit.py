"""A bucket on a real S3 server (moto's)."""

import contextlib
from collections.abc import Iterator
from typing import Any

import pytest

Bucket = tuple[str, dict[str, Any]]


@contextlib.contextmanager
def bucket() -> Iterator[Bucket]:
    """The bucket's URL, and the options with which s3fs reaches it."""
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
    yield (
        "s3://bucket",
        {"key": "key", "secret": "secret", "endpoint_url": endpoint, "skip_instance_cache": True},
    )
    server.stop()


@pytest.fixture(scope="session")
def s3_url() -> Iterator[Bucket]:
    """A bucket for all tests of a session that ask for one."""
    with bucket() as made:
        yield made
