"""Tables cut into runs, and the tables that wait for others: decided over values, without Dagster and without I/O."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Mapping
from dataclasses import dataclass

from jammi_dagster.lineage.graph import generations

Parents = Mapping[str, Collection[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunGroup:
    """The tables of one run. A group of a later `wave` has an input that a group of an earlier one makes."""

    wave: int
    tables: tuple[str, ...]


def into_runs(
    tables: Collection[str], parents: Parents, partition_of: Callable[[str], Hashable | None]
) -> list[RunGroup]:
    """Cut tables into the fewest waves of runs, each run for one partition, for unpartitioned tables, or for both.

    `partition_of` tells a table's partition, None for a whole table. Whole tables join the run of the partition that
    they are connected with, if that is the only one. Raises `DependencyCycle`.
    """
    order = [table for layer in generations(tables, parents) for table in layer]
    joined = _joined(tables, parents, partition_of)
    runs: dict[tuple[int, Hashable | None], list[str]] = {}
    for table, wave in _waves(order, parents, joined).items():
        runs.setdefault((wave, joined[table]), []).append(table)
    return [
        RunGroup(wave=number, tables=tuple(made))
        for (number, _), made in sorted(runs.items(), key=lambda item: (item[0][0], item[1]))
    ]


def waves_of(
    tables: Collection[str], parents: Parents, partition_of: Callable[[str], Hashable | None]
) -> dict[str, int]:
    """Return the wave of each table in `into_runs`. The tables come after their parents."""
    return _waves(tables, parents, _joined(tables, parents, partition_of))


def _waves(tables: Iterable[str], parents: Parents, joined: Mapping[str, Hashable | None]) -> dict[str, int]:
    wave: dict[str, int] = {}
    for table in tables:
        own = joined[table]
        above = [wave[p] + (joined[p] != own) for p in parents.get(table, ()) if p in wave and p != table]
        wave[table] = max(above, default=0)
    return wave


def below(tables: Iterable[str], parents: Parents) -> set[str]:
    """Return the tables, and all tables downstream of them by `parents`."""
    children: dict[str, list[str]] = {}
    for table, of_table in parents.items():
        for parent in of_table:
            children.setdefault(parent, []).append(table)
    return above(tables, children)


def above(tables: Iterable[str], parents: Parents) -> set[str]:
    """Return the tables, and all tables upstream of them by `parents`."""
    found, rest = set[str](), list(tables)
    while rest:
        table = rest.pop()
        if table not in found:
            found.add(table)
            rest.extend(parents.get(table, ()))
    return found


def nearest_below(tables: Iterable[str], derived: Callable[[str], Iterable[str]], most: int) -> list[str]:
    """List the tables downstream of these by `derived`, the nearest first; somewhat more than `most` at the end.

    `derived` gives the tables one hop downstream of each, and is asked for each table once.
    """
    rest = list(dict.fromkeys(tables))
    found, begun = set(rest), len(rest)
    for table in rest:  # it grows meanwhile
        if len(rest) > begun + most:
            break
        new = dict.fromkeys(name for name in derived(table) if name not in found)
        found.update(new)
        rest.extend(new)
    return rest[begun:]


def _joined(
    tables: Collection[str], parents: Parents, partition_of: Callable[[str], Hashable | None]
) -> dict[str, Hashable | None]:
    """Return the partition in whose run each table is made: its own, or the only one that it is connected with."""
    partition = {table: partition_of(table) for table in tables}
    if None not in partition.values():
        return partition
    root = {table: table for table in tables}

    def find(table: str) -> str:
        while root[table] != table:
            root[table] = table = root[root[table]]
        return table

    for table in tables:
        for parent in parents.get(table, ()):
            if parent in root:
                root[find(parent)] = find(table)
    partitions: dict[str, set[Hashable]] = {}
    for table in tables:
        if partition[table] is not None:
            partitions.setdefault(find(table), set()).add(partition[table])
    only = {component: next(iter(found)) for component, found in partitions.items() if len(found) == 1}
    return {table: own if own is not None else only.get(find(table)) for table, own in partition.items()}
