"""Texts, URLs and options without their secrets."""

import pytest

from jammi_dagster.contract.redaction import redacted_options, redacted_text, redacted_url

SECRET = "S3CR3T"

URLS = {
    "password": (f"postgresql://me:{SECRET}@db/store", "postgresql://me:***@db/store"),
    "password with @": (f"postgresql://me:p@{SECRET}!x@127.0.0.1:1/d", "postgresql://me:***@127.0.0.1:1/d"),
    "password with /": (f"postgresql://me:p/{SECRET}@db/d", "postgresql://me:***@db/d"),
    "password with ?": (f"postgresql://me:p?{SECRET}@db/d", "postgresql://me:***@db/d"),
    "password with #": (f"postgresql://me:p#{SECRET}@db/d", "postgresql://me:***@db/d"),
    "password with :": (f"postgresql://me:p:{SECRET}@db/d", "postgresql://me:***@db/d"),
    "digits as password": ("postgresql://me:1234@db/d", "postgresql://me:***@db/d"),
    "driver": (f"postgresql+psycopg://me:{SECRET}@db/d", "postgresql+psycopg://me:***@db/d"),
    "user alone": ("postgresql://me@db/d", "postgresql://me@db/d"),
    "query": (f"postgresql://me@db/d?password={SECRET}", "postgresql://me@db/d"),
    "signature": (f"https://account.blob/c?sig={SECRET}", "https://account.blob/c"),
    "fragment": (f"https://host/c#{SECRET}", "https://host/c"),
    "token": (f"https://{SECRET}@host/c", "https://host/c"),
    "key and secret": (f"s3://key:{SECRET}@bucket/p", "s3://bucket/p"),
    "container": ("abfs://tables@account.dfs.core/p", "abfs://tables@account.dfs.core/p"),
    "container and key": (f"abfss://tables:{SECRET}@account/p", "abfss://account/p"),
    "chain": (f"simplecache::s3://key:{SECRET}@bucket/p", "simplecache::s3://bucket/p"),
    "@ in a path": ("s3://bucket/tables@v1/p", "s3://bucket/tables@v1/p"),
    "port and @ in a path": ("http://host:9000/tables@v1", "http://host:9000/tables@v1"),
    "address of version 6": ("http://[::1]:9000/p", "http://[::1]:9000/p"),
    "no URL": ("/data/store", "/data/store"),
}


@pytest.mark.parametrize("case", URLS)
def test_a_url_keeps_where_it_leads_and_nothing_secret(case: str) -> None:
    """Scheme, host, port and path stay; password, token, query and fragment go."""
    given, shown = URLS[case]
    assert redacted_url(given) == shown


TEXTS = (
    f"host=db user=me password={SECRET}",
    f"host=db password='a b {SECRET}' user=me",
    f'host=db password="{SECRET}"',
    f"PGPASSWORD={SECRET}",
    f"{{'secret': '{SECRET}', 'key': 1}}",
    f"{{'secret': b'{SECRET}'}}",
    f'{{"aws_secret_access_key": "{SECRET}"}}',
    f"AccountName=a;AccountKey={SECRET};EndpointSuffix=x",
    f"https://h/p?X-Amz-Signature={SECRET}&x=1",
    f"cannot open s3://k:{SECRET}@b/x: 403",
    f"token: {SECRET}",
    f"Authorization: Bearer {SECRET}",
    f"sslpassword={SECRET}",
)


@pytest.mark.parametrize("text", TEXTS)
def test_a_text_loses_its_secret_and_keeps_the_rest(text: str) -> None:
    """The value of a secret's name, and the credentials of a URL, are hidden wherever they stand in a text."""
    shown = redacted_text(text)
    assert SECRET not in shown
    assert "***" in shown or "://" in shown


@pytest.mark.parametrize(
    "text",
    ["connection refused: is the server on host db, port 5432?", "no such table: sales", "keyboard: qwerty"],
)
def test_a_text_without_a_secret_stays(text: str) -> None:
    """Nothing is hidden that no name gives away as a secret."""
    assert redacted_text(text) == text


def test_options_show_their_names_only() -> None:
    """Any option may be a secret."""
    assert redacted_options({"key": SECRET, "client_kwargs": {"x": SECRET}}) == {
        "key": "***",
        "client_kwargs": "***",
    }
    assert redacted_options(None) == {}
