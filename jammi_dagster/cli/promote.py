"""`jammi-dagster promote`: tables of one deployment made current in another one, without a run."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from jammi_dagster.cli.render import Output, Table, most_shown, output, working, written
from jammi_dagster.cli.target import Target, target
from jammi_dagster.contract.wording import counted

if TYPE_CHECKING:
    from jammi_dagster.planning.promotion import PromotedTable, Promotion, PromotionPlan

_MOST_SHOWN = 50
_HEADINGS = ("", "table", "materialization", "before", "why")


@click.command()
@click.argument("tables", nargs=-1)
@click.option("--to", required=True, metavar="NAME", help="The deployment that gets the tables.")
@click.option("--dry-run", is_flag=True, help="Only show the plan.")
@click.option("--save", metavar="FILE", help="Write the plan of a dry run to a file, for --plan.")
@click.option("--plan", "plan_file", metavar="FILE", help="Promote a saved plan, if it still holds.")
@click.option(
    "--ahead-of-code",
    is_flag=True,
    help="Promote and hold tables of which the target's code has another definition, until it agrees.",
)
@click.option(
    "--create", is_flag=True, help="Promote to a new deployment, though its name is like another's."
)
@click.option(
    "--undo", type=int, metavar="SEQUENCE", help="Take a promotion back; `history` shows its sequence."
)
@click.option("--reason", metavar="TEXT", help="Shown in the history.")
@click.option("--by", metavar="NAME", help="Whoever promotes; by default the user of this process.")
@most_shown(_MOST_SHOWN, "List at most so many tables.")
@target()
@output
def promote(
    tables: tuple[str, ...],
    *,
    to: str,
    dry_run: bool,
    save: str | None,
    plan_file: str | None,
    ahead_of_code: bool,
    create: bool,
    undo: int | None,
    reason: str | None,
    by: str | None,
    most: int,
    target: Target,
    out: Output,
) -> int:
    """Make TABLES of the deployment (--deployment, or that of the code) current in another one, all or none.

    TABLES are names, assets with all of their partitions, or asset@partition; by default all tables that differ. No run
    is launched, and no byte copied. Give the target's code to compare definitions: a table of which it has another one
    is refused. Dagster is told at once where the code's own deployment is the target, else by the next tick of its
    sensor. A dry run exits with 0 for nothing to do, 1 for refusals, 2 for tables to promote.
    """
    if undo is not None and (tables or plan_file or dry_run):
        raise click.UsageError("--undo takes the tables of a promotion back as they were: give no others")
    if save is not None and not dry_run:
        raise click.UsageError("--save belongs to --dry-run")
    with contextlib.ExitStack() as stack:
        asked = _Asked(target, to, stack)
        named = list(tables) or None
        options = {"ahead_of_code": ahead_of_code, "create": create}
        if dry_run:
            with working("planning"):
                plan = asked.plan(named, **options)
            if save is not None:
                with written(save) as stream:
                    stream.write(json.dumps(plan.to_dict(), indent=2) + "\n")
            return _show_plan(out, plan, most)
        given = asked.back(undo) if undo is not None else _read(plan_file)
        done = asked.promote(named, given, reason=reason, by=by, **options)
    out.show({"exit_code": 0, "promotion": done.to_dict()}, *_blocks(done.plan, most), *_done(done, target))
    return 0


class _Asked:
    """The store of the source, with the target's code where it was given."""

    def __init__(self, target: Target, to: str, stack: contextlib.ExitStack) -> None:
        self._to = to
        self._repository: Any = None
        if not target.has_code:
            self._store = target.open()
            return
        evaluator = stack.enter_context(target.evaluator())
        self._store = target.checked(target.store_of(evaluator))
        self._repository = evaluator.location.repository
        instance = evaluator.location.instance
        self._instance = None if instance.is_ephemeral else instance

    def plan(self, tables: list[str] | None, **options: Any) -> PromotionPlan:
        if self._repository is None:
            return self._store.promotion_plan(self._to, tables, **options)
        from jammi_dagster.adapters.promotion import promotion_plan

        return promotion_plan(
            self._store, self._repository, self._to, tables, instance=self._instance, **options
        )

    def promote(self, tables: list[str] | None, plan: Any, **options: Any) -> Promotion:
        if self._repository is None:
            return self._store.promote(self._to, tables, plan, **options)
        from jammi_dagster.adapters.promotion import promote

        return promote(
            self._store, self._repository, self._to, tables, plan, instance=self._instance, **options
        )

    def back(self, sequence: int) -> PromotionPlan:
        """Plan the way back of a promotion into the target."""
        for done in self._store.of_deployment(self._to).promotions():
            if done.sequence == sequence:
                return done.undo()
        raise click.UsageError(f"no promotion to {self._to} with sequence {sequence} is on record")


def _read(file: str | None) -> Any:
    """Read a saved plan; None without a file."""
    if file is None:
        return None
    try:
        return json.loads(Path(file).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise click.UsageError(f"--plan {file} cannot be read: {error}") from error


def _show_plan(out: Output, plan: PromotionPlan, most: int) -> int:
    moving, refused = [row for row in plan.rows if row.moves], plan.refusals
    code = 1 if refused else 2 if moving else 0
    total = f"{counted(len(moving), 'table')} to promote from {plan.source} to {plan.target}."
    refusals = [f"{counted(len(refused), 'refusal')}: nothing would be promoted."] if refused else []
    out.show({"exit_code": code, "plan": plan.to_dict()}, *_blocks(plan, most), total, *refusals)
    return code


def _blocks(plan: PromotionPlan, most: int) -> list[str | Table]:
    rows = [_row(row, plan) for row in plan.rows[:most]]
    blocks: list[str | Table] = [Table(rows, _HEADINGS)] if rows else []
    if len(plan.rows) > most:
        blocks.append(f"and {counted(len(plan.rows) - most, 'more table')}")
    stale = plan.becoming_stale
    if stale:
        more = f" and {len(stale) - most:,} more" if len(stale) > most else ""
        blocks.append(f"Becoming stale in {plan.target}: {', '.join(stale[:most])}{more}.")
    return [*blocks, ""] if blocks else []


def _row(row: PromotedTable, plan: PromotionPlan) -> tuple[str, ...]:
    refusal = plan.refusals.get(row.table)
    word = "refused" if refusal else "hold" if row.is_ahead else "promote" if row.moves else "unchanged"
    notes = [refusal] if refusal else []
    for surface in row.surfaces:
        if surface.observed_at is not None and surface.observed != surface.recorded:
            notes.append(f"{surface.source} changed since")
    return (
        word,
        row.table,
        row.materialization or "(none)",
        row.target_materialization or "",
        "; ".join(notes),
    )


def _done(done: Promotion, target: Target) -> list[str]:
    plan = done.plan
    moved = sum(row.moves for row in plan.rows)
    if not moved:
        return [f"Nothing to promote: {plan.target} has these tables already."]
    way_out = target.again("promote", "--to", plan.target, "--undo", str(done.sequence))
    return [f"{counted(moved, 'table')} promoted to {plan.target}.", f"Take it back with: {way_out}"]
