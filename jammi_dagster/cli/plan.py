"""`jammi-dagster plan`: the outcome of a launch, before it is launched."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from jammi_dagster.cli.launch import launched
from jammi_dagster.cli.render import Output, Table, most_shown, output, working, written
from jammi_dagster.cli.target import Target, check_selected, target
from jammi_dagster.contract.wording import counted, seconds, size

if TYPE_CHECKING:
    from jammi_dagster.planning.plan import Plan, PlannedTable

_MOST_SHOWN, _MOST_NAMED = 50, 5
_RANGE = "..."


@click.command()
@click.argument("selection", required=False)
@click.option("--partition", "partitions", multiple=True, metavar="KEY", help="A partition; may be repeated.")
@click.option(
    "--partition-range",
    metavar="FIRST...LAST",
    help="A range of partitions that one run makes of assets with BackfillPolicy.single_run().",
)
@click.option("-c", "--config", metavar="FILE", help="The run config of the launch, YAML or JSON.")
@click.option("--tags", metavar="JSON", help='The run tags of the launch: \'{"jammi/cache": "bypass"}\'.')
@click.option(
    "--recorded-config", is_flag=True, help="Plan each table with the config that it was made with last."
)
@click.option("--save", metavar="FILE", help="Write the plan to a file, for --check.")
@click.option(
    "--check", metavar="FILE", help="Check that a saved plan still holds; its own selection counts."
)
@click.option(
    "--launch",
    is_flag=True,
    help="Launch the plan: runs for the tables that compute are submitted to the Dagster instance.",
)
@click.option(
    "--in-process",
    is_flag=True,
    help="Launch it in this process, run after run. So it is without DAGSTER_HOME.",
)
@most_shown(_MOST_SHOWN, "List at most so many tables.")
@target(store=False)
@output
def plan(
    selection: str | None,
    *,
    partitions: tuple[str, ...],
    partition_range: str | None,
    config: str | None,
    tags: str | None,
    recorded_config: bool,
    save: str | None,
    check: str | None,
    launch: bool,
    in_process: bool,
    most: int,
    target: Target,
    out: Output,
) -> int:
    """Plan a launch of the assets in SELECTION: would each table be reused or computed, why, and at which cost.

    Nothing is launched or written without --launch. SELECTION is an asset selection as Dagster reads it, such as
    "clean_trips*" with all that is downstream; by default it is everything. Exits with 0 if every table is reused, 2 if
    there is work to do, 3 if a table is unknown until the run. With --launch: 0 if all is reused or launched, 2 if
    tables wait for a run, 1 if a run failed or a table cannot be made.
    """
    import jammi_dagster
    from jammi_dagster.planning.plan import Plan

    given = [selection, *partitions, partition_range, config, tags, recorded_config, save]
    given += [target.deployment, target.parent]
    if in_process and not launch:
        raise click.UsageError("--in-process belongs to --launch")
    if check is not None:
        if any(given):
            raise click.UsageError(
                "--check takes the selection, partitions, config and tags of the saved plan"
            )
        saved, defs = _read(check), target.load()
        if launch:
            return launched(out, Plan.from_dict(saved), defs, target, most, in_process=in_process)
        with target.instance() as instance:
            found = jammi_dagster.check_plan(saved, defs, instance=instance)
        return _show(out, found, most, "The plan still holds. ")
    wanted, run_config, run_tags = _partitions(partitions, partition_range), _config(config), _tags(tags)
    defs = target.load()
    with target.instance() as instance, working("planning"):
        found = jammi_dagster.plan(
            defs,
            selection,
            wanted(),
            run_config,
            run_tags,
            deployment=target.deployment,
            parent=target.parent,
            recorded_config=recorded_config,
            instance=instance,
        )
    check_selected(selection, found.arguments["selection"])
    if save is not None:
        with written(save) as stream:
            stream.write(json.dumps(found.to_dict(), indent=2) + "\n")
    if launch:
        return launched(out, found, defs, target, most, in_process=in_process)
    return _show(out, found, most)


def _show(out: Output, plan: Plan, most: int, prefix: str = "") -> int:
    data = {"exit_code": plan.exit_code, "plan": plan.to_dict()}
    listed = [one for one in plan.rows if one.action != "reuse" or one.failed_checks]
    blocks: list[str | Table] = []
    if listed[:most]:
        rows = [
            (one.said, one.table, seconds(one.expected_seconds), "; ".join(_reasons(one)))
            for one in listed[:most]
        ]
        blocks += [Table(rows, ("action", "table", "expected", "why")), ""]
    if len(listed) > most:
        by_asset = Counter((one.asset, one.action) for one in listed[most:])
        rest = [("and", asset, f"{number:,} {action}") for (asset, action), number in by_asset.items()]
        blocks += [Table(rest), ""]
    out.show(data, *blocks, prefix + _total(plan), *_stale_inputs(plan))
    return plan.exit_code


def _stale_inputs(plan: Plan) -> Iterator[str]:
    """Name the stale tables that the launch reads and does not make."""
    named = [f"{table} ({'; '.join(why)})" if why else table for table, why in plan.stale_inputs.items()]
    if named:
        rest = f" and {len(named) - _MOST_NAMED:,} more" if len(named) > _MOST_NAMED else ""
        yield f"It reads tables that are stale and not selected: {', '.join(named[:_MOST_NAMED])}{rest}."


def _reasons(one: PlannedTable) -> Iterator[str]:
    yield from one.reasons
    if len(one.cause_path) > 1:
        yield f"by way of {' < '.join(one.cause_path)}"


def _total(plan: Plan) -> str:
    counts = ", ".join(f"{number:,} {action}" for action, number in plan.counts.items())
    said = [f"{counted(len(plan.rows), 'table')}{f': {counts}' if counts else ''}."]
    own = {None, *plan.basis.get("deployment", {}).values()}
    others = Counter(
        one.deployment for one in plan.rows if one.action == "reuse" and one.deployment not in own
    )
    said += [f"{counted(number, 'reused table')} of {name}." for name, number in sorted(others.items())]
    if plan.expected_seconds:
        written = f" and writes {size(plan.expected_bytes)}" if plan.expected_bytes else ""
        said.append(f"Computing takes at least {seconds(plan.expected_seconds)}{written}.")
    if plan.saved_seconds:
        said.append(f"Reuses save {seconds(plan.saved_seconds)}.")
    return " ".join(said)


def _partitions(keys: tuple[str, ...], span: str | None) -> Callable[[], Any]:
    """Return a function that gives the partitions: a range needs Dagster, and a wrong one does not."""
    if span is None:
        return lambda: list(keys) or None
    if keys:
        raise click.UsageError("give --partition or --partition-range, not both")
    first, dots, last = span.partition(_RANGE)
    if not (first and dots and last):
        raise click.UsageError(f"--partition-range is FIRST{_RANGE}LAST")

    def made() -> Any:
        import dagster as dg

        return dg.PartitionKeyRange(first, last)

    return made


def _config(file: str | None) -> Mapping[str, Any] | None:
    if file is None:
        return None
    import yaml

    try:
        found = yaml.safe_load(Path(file).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise click.UsageError(f"--config {file} cannot be read ({type(error).__name__})") from None
    if found is not None and not isinstance(found, Mapping):
        raise click.UsageError(f"--config {file} holds no mapping")
    return found


def _tags(text: str | None) -> Mapping[str, str] | None:
    if text is None:
        return None
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        raise click.UsageError("--tags is a JSON object of texts")
    return found


def _read(file: str) -> Any:
    try:
        return json.loads(Path(file).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise click.UsageError(f"--check {file} is no saved plan ({type(error).__name__})") from None
