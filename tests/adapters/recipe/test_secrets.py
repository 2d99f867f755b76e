"""A value from the environment is never written down, and still tells definitions apart (DESIGN 2.13)."""

import json
from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow as pa
import pytest
from adapters_kit import Lab, Ran, note, table, taken

from jammi_dagster import result_table

NAME = "ADAPTERS_TEST_SECRET"
SECRET = "correct-horse-battery"
FROM_ENV = {"env": NAME}
IN_MEMORY = "sqlite://"


class Login(dg.Config):
    password: str
    user: str = "me"


class DefaultLogin(dg.Config):
    password: str = dg.EnvVar(NAME)
    user: str = "me"


class Nested(dg.Config):
    login: Login
    logins: list[Login] = []  # noqa: RUF012  # a pydantic field
    by_name: dict[str, str] = {}  # noqa: RUF012  # a pydantic field


class DefaultNested(dg.Config):
    login: DefaultLogin = DefaultLogin()
    other: Login = Login(password=dg.EnvVar(NAME))


class DefaultsInside(dg.Config):
    logins: list[DefaultLogin] = []  # noqa: RUF012  # a pydantic field
    by_name: dict[str, DefaultLogin] = {}  # noqa: RUF012  # a pydantic field
    maybe: DefaultLogin | None = None


class Number(dg.Config):
    number: int = dg.EnvVar.int(NAME)


class Vault(dg.ConfigurableResource):
    password: str


class Service(dg.ConfigurableResource):
    vault: Vault


@result_table(reads=[])
def flat(config: Login) -> pa.Table:
    note(config.password)
    return table(len(config.password))


@result_table(reads=[])
def defaulted(config: DefaultLogin) -> pa.Table:
    note(config.password)
    return table(len(config.password))


@result_table(reads=[], key_prefix=["deep", "down"])
def nested(config: Nested) -> pa.Table:
    note(config.login.password)
    return table(len(config.login.password))


@result_table(reads=[])
def default_nested(config: DefaultNested) -> pa.Table:
    note(config.login.password)
    return table(len(config.other.password))


@result_table(reads=[])
def inside(config: DefaultsInside) -> pa.Table:
    given = [*config.logins, *config.by_name.values(), *([config.maybe] if config.maybe else [])]
    note(given[0].password)
    return table(len(given))


_DEFAULT = {"user": str, "password": dg.Field(dg.StringSource, default_value=FROM_ENV)}


@result_table(
    reads=[],
    config_schema={
        "items": dg.Field([_DEFAULT], is_required=False),
        "by_name": dg.Field(dg.Map(str, _DEFAULT), is_required=False),
        "maybe": dg.Field(dg.Noneable(_DEFAULT), is_required=False),
        "one_of": dg.Field(dg.Selector({"login": _DEFAULT, "none": int}), is_required=False),
        "open": dg.Field(dg.Permissive(_DEFAULT), is_required=False),
    },
)
def legacy_inside(context: dg.AssetExecutionContext) -> pa.Table:
    note(SECRET in str(context.op_execution_context.op_config))
    return table(1)


@result_table(reads=[], config_schema={"password": dg.Field(dg.StringSource, default_value=FROM_ENV)})
def legacy(context: dg.AssetExecutionContext) -> pa.Table:
    note(context.op_execution_context.op_config["password"])
    return table(1)


@result_table(reads=[])
def through_resource(service: Service) -> pa.Table:
    note(service.vault.password)
    return table(1)


def written_nowhere(lab: Lab, ran: Ran, captured: str, *, secret: str = SECRET) -> None:
    """No file below the root, no event and no log line holds the secret."""
    files = {path.suffix for path in lab.files()}
    assert {".json", ".parquet", ".db"} <= files
    assert [path for path in lab.files() if secret.encode() in path.read_bytes()] == []
    events = [entry.to_json() for entry in lab.instance.all_logs(ran.result.run_id)]
    assert [event for event in events if secret in event] == []
    assert secret not in captured


CASES: dict[str, tuple[Any, dict[str, Any] | None]] = {
    "run config": (flat, {"password": FROM_ENV}),
    "default": (defaulted, None),
    "default beside given": (defaulted, {"user": "you"}),
    "nested": (
        nested,
        {"login": {"password": FROM_ENV}, "logins": [{"password": FROM_ENV}], "by_name": {"a": FROM_ENV}},
    ),
    "nested default": (default_nested, None),
    "default in a list": (inside, {"logins": [{"user": "you"}]}),
    "default in a dict": (inside, {"by_name": {"a": {"user": "you"}}}),
    "default in an optional": (inside, {"maybe": {"user": "you"}}),
    "legacy schema": (legacy, None),
    "legacy list": (legacy_inside, {"items": [{"user": "you"}]}),
    "legacy map": (legacy_inside, {"by_name": {"a": {"user": "you"}}}),
    "legacy noneable": (legacy_inside, {"maybe": {"user": "you"}}),
    "legacy selector": (legacy_inside, {"one_of": {"login": {"user": "you"}}}),
    "legacy permissive": (legacy_inside, {"open": {"user": "you"}}),
    "resource": (through_resource, None),
}


@pytest.fixture(autouse=True)
def _loud(lab: Lab) -> None:
    lab.console = "DEBUG"


@pytest.mark.parametrize("case", CASES)
def test_a_secret_is_written_nowhere_and_counts(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], case: str
) -> None:
    """The same secret is reused, another one misses, and neither reaches a sidecar, the catalog or a log."""
    asset, config = CASES[case]
    name = asset.key.to_user_string()
    given = None if config is None else {asset.node_def.name: config}
    lab.more = {"service": Service(vault=Vault(password=dg.EnvVar(NAME)))}

    outcomes = []
    for secret in (SECRET, SECRET, SECRET + "-2"):
        monkeypatch.setenv(NAME, secret)
        ran = lab.run(asset, config=given)
        outcomes.append(ran.outcomes[name])
        assert ran.why_unpinned(name) == ""
        assert set(ran.calls) <= {secret, True}
        written_nowhere(lab, ran, "".join(capfd.readouterr()))

    assert outcomes == ["computed", "reused", "computed"]


def test_the_raw_config_is_recorded_for_replay(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside the descriptor stands what the run was launched with: the name of the variable, not its value."""
    monkeypatch.setenv(NAME, SECRET)
    lab.run(flat, config={"flat": {"password": FROM_ENV}})

    (path,) = [path for path in lab.files() if path.name.endswith(".materialization.json")]
    sidecar = json.loads(path.read_text())

    assert sidecar["jammi_dagster"]["raw_config"] == {"password": FROM_ENV}
    assert set(sidecar["descriptor"]["config"]["password"]) == {"hmac_sha256"}


def run_job(lab: Lab, asset: Any, config: Any, run_config: Any = None) -> Ran:
    job = dg.define_asset_job("configured", selection=[asset], config=config)
    defs = dg.Definitions(assets=[asset], jobs=[job], resources=lab.resources)
    taken()
    result = defs.resolve_job_def("configured").execute_in_process(
        instance=lab.instance, run_config=run_config
    )
    return Ran(result, taken(), [])


@pytest.mark.parametrize("typed", [True, False])
def test_the_config_of_a_job_is_run_config(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], typed: bool
) -> None:
    """A secret in the default config of a job is a secret: the run itself was launched with nothing."""
    config = (
        dg.RunConfig(ops={"flat": Login(password=dg.EnvVar(NAME))})
        if typed
        else {"ops": {"flat": {"config": {"password": FROM_ENV}}}}
    )
    outcomes = []
    for secret in (SECRET, SECRET, SECRET + "-2"):
        monkeypatch.setenv(NAME, secret)
        ran = run_job(lab, flat, config)
        outcomes.append(ran.outcomes["flat"])
        written_nowhere(lab, ran, "".join(capfd.readouterr()))

    assert outcomes == ["computed", "reused", "computed"]


@pytest.mark.parametrize("inner", [True, False])
def test_config_that_a_function_made_is_not_recorded(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], inner: bool
) -> None:
    """A config mapping sees values of the environment as plain ones: nobody can tell which, so none is kept."""
    monkeypatch.setenv(NAME, SECRET)

    @dg.config_mapping(config_schema={"secret": dg.StringSource})
    def mapping(value):
        password = FROM_ENV if inner else value["secret"]
        return {"ops": {"flat": {"config": {"password": password}}}}

    runs = [run_job(lab, flat, mapping, {"secret": FROM_ENV}) for _ in range(2)]

    assert [ran.outcomes["flat"] for ran in runs] == ["computed", "computed"]
    assert "config: a config mapping of the job made it" in runs[0].why_unpinned("flat")
    written_nowhere(lab, runs[1], "".join(capfd.readouterr()))


def test_a_secret_that_is_no_text_is_not_shown_by_an_error(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """A variable that is not UTF-8 has no canonical JSON: the reason says so without its value."""
    monkeypatch.setenv(NAME, f"{SECRET}\udcff")
    lab.more = {"service": Service(vault=Vault(password=dg.EnvVar(NAME)))}

    for asset, config in ((flat, {"flat": {"password": FROM_ENV}}), (through_resource, None)):
        ran = lab.run(asset, config=config)
        name = asset.key.to_user_string()
        assert "a value of type str has no canonical JSON" in ran.why_unpinned(name)
        written_nowhere(lab, ran, "".join(capfd.readouterr()))


def test_without_a_key_a_secret_unpins(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """A catalog in memory has no place for a key: what came from the environment makes the table unpinned."""
    monkeypatch.delenv("JAMMI_STORE_KEY", raising=False)
    monkeypatch.setenv(NAME, SECRET)
    lab.options = {"catalog": IN_MEMORY}
    lab.more = {"service": Service(vault=Vault(password="not of the environment"))}
    given = {"flat": {"password": FROM_ENV}}

    for asset, config in ((flat, given), (through_resource, None)):
        name = asset.key.to_user_string()
        runs = [lab.run(asset, config=config) for _ in range(2)]
        assert [ran.outcomes[name] for ran in runs] == ["computed", "computed"]
        assert "set JAMMI_STORE_KEY" in runs[0].why_unpinned(name)
    plain = [lab.run(flat, config={"flat": {"password": "open"}}).outcomes["flat"] for _ in range(2)]
    assert plain == ["computed", "reused"]

    monkeypatch.setenv("JAMMI_STORE_KEY", "a key of 16 bytes")
    assert [lab.run(flat, config=given).outcomes["flat"] for _ in range(2)] == ["computed", "reused"]
    assert [path for path in lab.files() if SECRET.encode() in path.read_bytes()] == []


def test_the_key_lies_apart_from_the_sidecars(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside the catalog, for its owner only."""
    monkeypatch.setenv(NAME, SECRET)
    lab.run(defaulted)

    key = Path(f"{lab.root}/catalog.db.key")
    assert key.stat().st_mode & 0o077 == 0
    sidecars = [path for path in lab.files() if path.suffix == ".json"]
    assert sidecars
    assert [path for path in sidecars if key.read_bytes() in path.read_bytes()] == []
