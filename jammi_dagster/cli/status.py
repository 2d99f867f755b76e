"""`jammi-dagster status`: the number of tables by verdict, asset and deployment."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import click

from jammi_dagster.cli.render import Output, Table, most_shown, output, working
from jammi_dagster.cli.target import Target, target
from jammi_dagster.contract.tables import asset_of
from jammi_dagster.contract.verdicts import FRESH_FOR_NOW
from jammi_dagster.contract.wording import counted
from jammi_dagster.errors import InvalidStore
from jammi_dagster.garbage import uncollected
from jammi_dagster.planning.plan import NOTHING_TO_DO, UNDECIDABLE, WORK_TO_DO

if TYPE_CHECKING:
    from jammi_dagster.catalog import Hold
    from jammi_dagster.contract import Acceptance, Staleness
    from jammi_dagster.store import ResultStore

AS_RECORDED = "inputs_as_recorded"
"""The verdict where no code is known: nothing speaks against the table, and nothing is known of its code."""

_QUIET = ("fresh", AS_RECORDED)
_KINDS = (
    *(*_QUIET, "stale", "missing", "bytes_missing"),
    *("undecidable", "not_replayable", "missing_manifest", FRESH_FOR_NOW, "gone"),
)
_WORK = {"stale", "missing", "bytes_missing"}
_OPEN = {"undecidable", "not_replayable", "missing_manifest", AS_RECORDED}
_MOST_SHOWN = 10


@dataclass(slots=True)
class _Found:
    """Tables by deployment, asset and verdict.

    `others` are the tables that are not quiet, each with a function that finds its reasons; `explained` are the first
    of them, with their reasons. `problems` are the assets that cannot be opened, with why. `holds` are the tables that
    are held, whatever their verdict, and `accepted` the tables that are fresh by an acceptance.
    """

    counts: dict[tuple[str, str], Counter[str]] = field(default_factory=dict)
    others: list[tuple[str, str, Callable[[], list[str]]]] = field(default_factory=list)
    explained: list[tuple[str, str, list[str]]] = field(default_factory=list)
    problems: dict[str, str] = field(default_factory=dict)
    holds: list[Hold] = field(default_factory=list)
    accepted: list[Acceptance] = field(default_factory=list)

    def add(self, deployment: str, table: str, verdict: str, reasons: Callable[[], list[str]] = list) -> None:
        self.count(deployment, asset_of(table), verdict)
        if verdict not in _QUIET:
            self.others.append((table, verdict, reasons))

    def count(self, deployment: str, asset: str, verdict: str, number: int = 1) -> None:
        self.counts.setdefault((deployment, asset), Counter())[verdict] += number

    def explain(self, most: int) -> None:
        """Find the reasons of the first tables that are not quiet, the worst verdicts first."""
        self.others.sort(key=lambda one: (_KINDS.index(one[1]), one[0]))
        self.explained = [(table, verdict, reasons()) for table, verdict, reasons in self.others[:most]]

    @property
    def totals(self) -> Counter[str]:
        return sum(self.counts.values(), Counter())

    @property
    def exit_code(self) -> int:
        found = set(self.totals)
        if self.problems or found & _OPEN:
            return UNDECIDABLE
        return WORK_TO_DO if found & _WORK else NOTHING_TO_DO


@click.command()
@click.option(
    "--exit-code", "with_exit_code", is_flag=True, help="Exit with 2 for work to do, 3 for undecidable."
)
@most_shown(_MOST_SHOWN, "Explain at most so many tables.")
@target()
@output
def status(with_exit_code: bool, most: int, target: Target, out: Output) -> int:
    """Count the tables by verdict, asset and deployment.

    With code, every table is judged against the code, config and inputs of now; a defined table without a
    materialization is missing, and a fresh one below a stale one is "fresh for now". With --store alone, only recorded
    inputs are compared with the tables of now: a table that nothing speaks against is "inputs as recorded", never
    fresh, and undecidable for --exit-code. Tables that are held (see `rollback`) are listed, too, and with code
    the ones that are fresh because they were accepted (see `accept`).
    """
    found = _judged(target, most) if target.has_code else _of_catalog(target, most)
    data = {
        "exit_code": found.exit_code,
        "code_known": target.has_code,
        "totals": dict(found.totals),
        "assets": [
            {"deployment": deployment, "asset": asset, "counts": dict(counts)}
            for (deployment, asset), counts in sorted(found.counts.items())
        ],
        "explained": [
            {"table": t, "verdict": verdict, "reasons": why} for t, verdict, why in found.explained
        ],
        "problems": found.problems,
        "holds": [hold.to_dict() for hold in found.holds],
        "accepted": [accepted.to_dict() for accepted in found.accepted],
    }
    out.show(data, *_text(found, target.has_code))
    return found.exit_code if with_exit_code else 0


def _text(found: _Found, code_known: bool) -> list[str | Table]:
    totals, explained = found.totals, found.explained
    kinds = [kind for kind in _KINDS if totals[kind]]
    rows = [
        (deployment, asset, *(counts[kind] for kind in kinds))
        for (deployment, asset), counts in sorted(found.counts.items())
    ]
    rows.append(("", "total", *(totals[kind] for kind in kinds)))
    blocks: list[str | Table] = [
        Table(rows, ("deployment", "asset", *(kind.replace("_", " ") for kind in kinds)))
    ]
    if explained:
        blocks += [
            "",
            Table([(verdict.replace("_", " "), table, "; ".join(why)) for table, verdict, why in explained]),
        ]
    if len(found.others) > len(explained):
        blocks.append(f"and {counted(len(found.others) - len(explained), 'table')} more")
    for listed in (found.holds, found.accepted):
        if listed:
            blocks += ["", Table([(one.table, one.deployment, str(one)) for one in listed])]
    blocks += [f"asset {asset} cannot be opened: {why}" for asset, why in found.problems.items()]
    if not code_known:
        blocks += ["", "The code is not known, so no table is called fresh: give -f, -m or -w for verdicts."]
    return blocks


# --- without code -------------------------------------------------------------------------------------


def _of_catalog(target: Target, most: int) -> _Found:
    """Compare recorded inputs with the tables of now, in every deployment unless one is named."""
    from jammi_dagster.catalog import CatalogReader

    found, store = _Found(), target.open()
    names = [store.scope.deployment]
    if target.deployment is None and isinstance(store.reader, CatalogReader):
        names = store.reader.deployments() or names
    for name in names:
        _count_inputs(store if name == store.scope.deployment else store.of_deployment(name), found)
    found.explain(most)
    return found


def _count_inputs(store: ResultStore, found: _Found) -> None:
    from jammi_dagster.sensing import Observations, sweep_inputs

    found.holds += store.holds().values()
    deployment, quiet = store.scope.deployment, Counter[str]()
    for table, verdict in sweep_inputs(store.reader, store.artifacts, Observations(())):
        if verdict is None or verdict.is_fresh:
            quiet[asset_of(table)] += 1
            continue
        said = functools.partial(_said_of_inputs, store, table, verdict)
        found.add(deployment, table, verdict.staleness, said)
    for asset, number in quiet.items():
        found.count(deployment, asset, AS_RECORDED, number)


def _said_of_inputs(store: ResultStore, table: str, verdict: Staleness) -> list[str]:
    """Return the reasons of a verdict on recorded inputs."""
    said = [
        f"{one.source} {'changed' if one.reason == 'input_advanced' else 'is gone'}"
        for one in verdict.reasons
    ]
    record = store.reader.current(table) if verdict.unpinned else None
    unpinned = {anchor.source for anchor in record.input_anchors if anchor.is_unpinned} if record else set()
    for source in verdict.unpinned:
        no_version = f"{source} has no version to compare"
        said.append(no_version if source in unpinned else f"only the code can tell the version of {source}")
    return said


# --- with code ----------------------------------------------------------------------------------------


def _judged(target: Target, most: int) -> _Found:
    """Judge every table of the code location."""
    found = _Found()
    with target.evaluator() as evaluator, working("judging every table"):
        from jammi_dagster.adapters.judgement.wording import reasons

        assets = evaluator.assets(evaluator.location.select("*"))
        found.problems = {key.to_user_string(): why for key, why in evaluator.problems.items()}
        if found.problems and not assets:
            asset, why = next(iter(found.problems.items()))
            raise InvalidStore(root=f"of asset {asset}", why=why)
        for store in {one.store.identity: one.store for one in assets}.values():
            target.checked(store)
        with uncollected():
            evaluation = evaluator.evaluate(assets, missing=True, seen=evaluator.observe(assets))
        deployments = {asset.name: asset.store.scope.deployment for asset in assets}
        fresh: list[str] = []
        for table, is_there in evaluation.looked_at.items():
            state = evaluation.tables.get(table)
            if state is not None:
                deployment = deployments[asset_of(table)]
                found.add(deployment, table, state.word, functools.partial(reasons, state))
            elif is_there:
                fresh.append(asset_of(table))
        for asset, number in Counter(fresh).items():
            found.count(deployments[asset], asset, "fresh", number)
        found.accepted += evaluation.accepted.values()
        found.holds += [hold for table, hold in evaluation.holds.items() if table in evaluation.looked_at]
        every = {store.scope.deployment for store in evaluation.stores.values()}
        only = next(iter(every)) if len(every) == 1 else ""
        for table, why in evaluation.gone.items():
            found.add(only, table, "gone", [why].copy)
        found.explain(most)
    return found
