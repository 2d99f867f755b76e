"""`jammi-dagster why`: the reasons why a table was made, and why it is not fresh now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from jammi_dagster.cli.render import Output, output, working
from jammi_dagster.cli.target import Target, target

if TYPE_CHECKING:
    from jammi_dagster.adapters.judgement.evaluator import Evaluator
    from jammi_dagster.store import ResultStore


@click.command()
@click.argument("table")
@target()
@output
def why(table: str, target: Target, out: Output) -> None:
    """Say why TABLE was made; with code also if it is fresh now, and why not."""
    if not target.has_code:
        _show(out, target.open(), table, None)
        return
    with target.evaluator() as evaluator:
        asset = evaluator.maker(table)
        store = target.checked(target.store_of(evaluator) if asset is None else asset.store)
        _show(out, store, table, _now(evaluator, table))


def _show(out: Output, store: ResultStore, table: str, now: tuple[str, list[str]] | None) -> None:
    found = store.why(table)
    data: dict[str, Any] = found.to_dict()
    blocks = [f"{found.table} was made by run {found.produced_by} on {found.created_at[:19]}, because:"]
    blocks += [f"  {reason}" for reason in found.reasons]
    if found.compared_with is not None:
        blocks.append(f"  (found by comparison with materialization {found.compared_with})")
    if now is not None:
        verdict, reasons = now
        data["now"] = {"verdict": verdict, "reasons": reasons}
        blocks.append(f"At present it is {verdict.replace('_', ' ')}{':' if reasons else '.'}")
        blocks += [f"  {reason}" for reason in reasons]
    hold, accepted = store.holds().get(table), store.acceptances().get(table)
    data["hold"] = None if hold is None else hold.to_dict()
    data["acceptance"] = None if accepted is None else accepted.to_dict()
    if hold is not None and (now is None or str(hold) not in now[1]):
        blocks.append(f"It is {hold}.")
    if accepted is not None and now is None:
        blocks.append(f"It was {accepted}.")
    out.show(data, *blocks)


def _now(evaluator: Evaluator, table: str) -> tuple[str, list[str]]:
    """Return the verdict on a table now, and its reasons."""
    import dagster as dg

    from jammi_dagster.adapters.judgement.wording import reasons

    asset = evaluator.maker(table)
    if asset is None:
        return "gone", [evaluator.why_gone(table)]
    with working("judging it"):
        # the definitions of now tell which of the tables above is stale
        above = dg.AssetSelection.assets(asset.key).upstream()
        assets = evaluator.assets(evaluator.location.select(above))
        evaluation = evaluator.evaluate(assets, seen=evaluator.observe(assets))
    state, accepted = evaluation.tables.get(table), evaluation.accepted.get(table)
    if state is None:
        return "fresh", [] if accepted is None else [str(accepted)]
    return state.word, reasons(state)
