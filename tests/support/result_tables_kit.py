"""A family of tables that one function makes, and the calls that it takes: for tests of steps and of code locations."""

from collections.abc import Iterator
from typing import Any

import dagster as dg
import pyarrow as pa
from adapters_kit import note, table, values

from jammi_dagster import result_table, result_tables

SPECS = [
    dg.AssetSpec("a", deps=["up"]),
    dg.AssetSpec("b", deps=["a"]),
    dg.AssetSpec("c", deps=["b"]),
    dg.AssetSpec("d", deps=["up"]),
]


class Number(dg.Config):
    number: int = 1


@result_table(reads=[])
def up(config: Number) -> pa.Table:
    return table(config.number)


@result_tables(specs=SPECS, can_subset=True)
def family(context: dg.AssetExecutionContext, up: pa.Table) -> Iterator[Any]:
    selected = sorted(key.to_user_string() for key in context.selected_asset_keys)
    note(selected)
    for name in selected:
        yield dg.Output(table(name, *map(str, values(up))), output_name=name)


def bypass(*names: str) -> dict[str, str]:
    """A tag under which these assets are computed, whatever is stored."""
    return {"jammi/cache": "{" + ", ".join(f'"{name}": "bypass"' for name in names) + "}"}


# what the step selects, what is computed in any case, and what one call of the body makes
CALLS = [
    ("abcd", "", ""),
    ("abcd", "a", "abc"),
    ("abcd", "c", "abc"),
    ("abcd", "d", "d"),
    ("abcd", "bd", "abcd"),
    ("cd", "c", "c"),
    ("bc", "b", "bc"),
    ("bc", "c", "bc"),
]
