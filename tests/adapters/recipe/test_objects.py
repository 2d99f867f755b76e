"""Config and resources: what they hold and what their classes do is part of how a table is made."""

import enum
import itertools
from collections.abc import Callable
from types import ModuleType

import dagster as dg
import pyarrow as pa
import pytest
from adapters_kit import Lab, note, table, values
from pydantic import Field, field_validator

from jammi_dagster import result_table

Write = Callable[[str, str], ModuleType]

numbers = itertools.count()


def next_number() -> int:
    return next(numbers)


class Inner(dg.Config):
    number: int = Field(default_factory=next_number)


class Counting(dg.Config):
    inner: Inner = Field(default_factory=Inner)


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Painted(dg.Config):
    colour: Colour = Colour.RED
    names: list[str] = Field(default_factory=list)
    size: int = 1

    @field_validator("size")
    @classmethod
    def doubled(cls, value: int) -> int:
        return 2 * value


@result_table(reads=[])
def counted(config: Counting) -> pa.Table:
    return table(config.inner.number)


@result_table(reads=[])
def painted(config: Painted) -> pa.Table:
    return table(f"{config.colour.value} {config.size} {config.names}")


def test_what_a_config_class_fills_in_is_part_of_the_definition(lab: Lab) -> None:
    """A `default_factory` runs when the object is made: Dagster's validated config does not show its value."""
    runs = [lab.run(counted) for _ in range(2)]

    assert [ran.outcomes["counted"] for ran in runs] == ["computed", "computed"]


def test_config_with_enums_lists_and_validators_is_reused(lab: Lab) -> None:
    """What a config class makes of equal values is equal: it does not stand in the way of a reuse."""
    for config, expected in (
        ({}, "computed"),
        ({"size": 1}, "reused"),
        ({"colour": "BLUE"}, "computed"),
        ({"colour": "BLUE", "names": ["a"]}, "computed"),
        ({"colour": "BLUE", "names": ["a"]}, "reused"),
    ):
        ran = lab.run(painted, config={"painted": config})
        assert ran.outcomes["painted"] == expected
        assert ran.why_unpinned("painted") == ""


class Bounds(dg.Config):
    low: float = 0.0
    high: float = float("inf")


@pytest.mark.parametrize("config", [{}, {"low": float("nan")}, {"low": float("-inf"), "high": 1.0}], ids=str)
def test_config_without_canonical_json_unpins(lab: Lab, config: dict[str, float]) -> None:
    """Infinities and NaN are no JSON: the table is made, and never reused; the reason says which value."""

    @result_table(reads=[])
    def bounded(config: Bounds) -> pa.Table:
        note("bounded")
        return table(config.low, config.high)

    for _ in range(2):
        ran = lab.run(bounded, config={"bounded": config} if config else None)
        assert ran.calls == ["bounded"]
        assert "config: " in ran.why_unpinned("bounded")
        assert "has no canonical JSON" in ran.why_unpinned("bounded")
    finite = {"bounded": {"low": 0.5, "high": 1.0}}
    assert [lab.run(bounded, config=finite).outcomes["bounded"] for _ in range(2)] == ["computed", "reused"]


def test_the_code_of_a_config_class_counts(lab: Lab, module: Write) -> None:
    """A factory may get its config class from a module that its own does not import."""
    factory = """
        import pyarrow as pa
        from jammi_dagster import result_table
        def make(config_class):
            @result_table(reads=[])
            def made(config: config_class):
                return pa.table({"x": [config.value()]})
            return made
    """
    classes = """
        import dagster as dg
        class Given(dg.Config):
            k: int = 1
            def value(self):
                return {} * self.k
    """
    make = module("factory_of_config", factory).make
    for factor, expected in ((1, "computed"), (1, "reused"), (2, "computed")):
        given = module("config_elsewhere", classes.format(factor)).Given
        assert lab.run(make(given)).outcomes["made"] == expected
    assert values(lab.store.read("made")) == [2]


class Connection(dg.ConfigurableResource):
    host: str
    ports: list[int] = [80]  # noqa: RUF012  # a pydantic field


class Service(dg.ConfigurableResource):
    connection: Connection
    options: dict[str, str] = {}  # noqa: RUF012  # a pydantic field


@result_table(reads=[])
def fetched(service: Service) -> pa.Table:
    note(service.connection.host)
    return table(service.connection.host)


def test_a_changed_resource_config_misses(lab: Lab) -> None:
    """With `reads=[]` a resource counts by its config, nested resources included."""
    for service, expected in (
        (Service(connection=Connection(host="a")), "computed"),
        (Service(connection=Connection(host="a")), "reused"),
        (Service(connection=Connection(host="b")), "computed"),
        (Service(connection=Connection(host="b", ports=[80, 81])), "computed"),
        (Service(connection=Connection(host="b"), options={"a": "b"}), "computed"),
        (Service(connection=Connection(host="a")), "reused"),
    ):
        lab.more = {"service": service}
        assert lab.run(fetched).outcomes["fetched"] == expected


def test_resources_that_change_places_miss(lab: Lab) -> None:
    """A resource counts by its key."""

    @result_table(reads=[], required_resource_keys={"left", "right"})
    def made(context) -> pa.Table:
        return table(context.resources.left.host)

    a, b = Connection(host="a"), Connection(host="b")
    for left, right, expected in ((a, b, "computed"), (a, b, "reused"), (b, a, "computed")):
        lab.more = {"left": left, "right": right}
        assert lab.run(made).outcomes["made"] == expected


def test_resource_config_from_the_run_counts(lab: Lab) -> None:
    """A resource that is configured at launch counts by what the run gave it."""
    lab.more = {"service": Service.configure_at_launch(connection=Connection.configure_at_launch())}
    for host, expected in (("a", "computed"), ("a", "reused"), ("b", "computed")):
        given = {"connection": {"config": {"host": host}}}
        lab.more = {
            "connection": (connection := Connection.configure_at_launch()),
            "service": Service(connection=connection),
        }
        assert lab.run(fetched, resources=given).outcomes["fetched"] == expected


def test_the_code_of_a_resource_counts(lab: Lab, module: Write) -> None:
    """The function names a base class; which subclass runs, and what it does, is part of the definition."""
    base = """
        import dagster as dg
        class Source(dg.ConfigurableResource):
            def value(self):
                raise NotImplementedError
    """
    asset = """
        import pyarrow as pa
        from jammi_dagster import result_table
        from source_base import Source
        @result_table(reads=[])
        def made(source: Source):
            return pa.table({"x": [source.value()]})
    """
    subclass = """
        from source_base import Source
        class Concrete(Source):
            def value(self):
                return {}
    """
    module("source_base", base)
    made = module("source_asset", asset).made
    for value, expected in ((1, "computed"), (1, "reused"), (2, "computed")):
        lab.more = {"source": module("source_concrete", subclass.format(value)).Concrete()}
        assert lab.run(made).outcomes["made"] == expected
    assert values(lab.store.read("made")) == [2]


def test_what_a_resource_reads_of_the_outside_world_unpins(lab: Lab, module: Write) -> None:
    """Clock, randomness and environment in the code of a resource count as those in the function's own."""
    source = """
        import time
        import dagster as dg
        class Clock(dg.ConfigurableResource):
            def value(self):
                return time.time()
    """
    asset = """
        import pyarrow as pa
        import dagster as dg
        from jammi_dagster import result_table
        @result_table(reads=[], required_resource_keys={"clock"})
        def made(context):
            return pa.table({"x": [context.resources.clock.value()]})
    """
    lab.more = {"clock": module("clock_resource", source).Clock()}
    ran = lab.run(module("clock_asset", asset).made)

    assert "time.time" in ran.why_unpinned("made")


def test_a_code_version_stands_for_the_code_of_resources_too(lab: Lab, module: Write) -> None:
    """The author's word covers what the function calls, wherever that code lies."""
    source = """
        import dagster as dg
        class Source(dg.ConfigurableResource):
            def value(self):
                return {}
    """

    @result_table(reads=[], code_version="1", required_resource_keys={"source"})
    def vouched(context) -> pa.Table:
        return table(context.resources.source.value())

    for value, expected in ((1, "computed"), (2, "reused")):
        lab.more = {"source": module("vouched_source", source.format(value)).Source()}
        assert lab.run(vouched).outcomes["vouched"] == expected
