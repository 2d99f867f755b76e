"""The launch of a plan: `jammi-dagster plan --launch`."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

from jammi_dagster.cli.render import Output, Table, working
from jammi_dagster.cli.target import Target
from jammi_dagster.contract.wording import counted

if TYPE_CHECKING:
    import dagster as dg

    from jammi_dagster.adapters.materialize_plan import Launcher
    from jammi_dagster.planning.launch_report import LaunchReport
    from jammi_dagster.planning.plan import Plan

_NO_DAEMON = (
    "The runs are queued, and no daemon is alive that takes them from the queue: start `dagster dev` or "
    "`dagster-daemon run`."
)
_AGAIN = "Launch again once the runs are over: the tables that wait for them come then."


def launched(
    out: Output,
    plan: Plan,
    defs: dg.RepositoryDefinition,
    target: Target,
    most: int,
    *,
    in_process: bool,
) -> int:
    """Launch a plan on the instance of `DAGSTER_HOME`, without one in this process, and show its runs."""
    import jammi_dagster
    from jammi_dagster.adapters.launching.submission import waits_for_daemon

    with target.instance() as instance:
        in_process = in_process or not os.environ.get("DAGSTER_HOME")
        with _launcher(instance, defs, target, in_process=in_process) as launcher, working("launching"):
            report = jammi_dagster.materialize_plan(plan, defs, instance=instance, launcher=launcher)
        has_runs = bool(report.runs or report.skipped)  # its own, or earlier ones that are under way
        is_stuck = has_runs and not in_process and waits_for_daemon(instance)
    data = {
        "exit_code": report.exit_code,
        "plan": plan.to_dict(),
        "launch": report.to_dict(),
        "waits_for_daemon": is_stuck,
    }
    notes = [*([_NO_DAEMON] if is_stuck else []), *([_AGAIN] if report.waiting else [])]
    rows = list(_rows(report, "succeeded" if in_process else "submitted"))
    more = [f"and {counted(len(rows) - most, 'more table')}"] if len(rows) > most else []
    listed: list[str | Table] = (
        [Table(rows[:most], ("outcome", "table", "run or reason")), *more, ""] if rows else []
    )
    out.show(data, *listed, _total(report), *notes)
    return report.exit_code


@contextlib.contextmanager
def _launcher(
    instance: dg.DagsterInstance, defs: dg.RepositoryDefinition, target: Target, *, in_process: bool
) -> Iterator[Launcher | None]:
    if in_process:
        yield None
        return
    from jammi_dagster.adapters.launching.submission import submission

    code, location = target.as_of_dagster()
    with contextlib.ExitStack() as stack:
        with working("loading the code in a server of Dagster's"), _children_print_to_stderr():
            made = stack.enter_context(submission(instance, code, location, defs.name))
        yield made


@contextlib.contextmanager
def _children_print_to_stderr() -> Iterator[None]:
    """Let processes that begin meanwhile print to stderr: Dagster's server logs to stdout, which holds the answer."""
    kept = os.dup(1)
    os.dup2(2, 1)
    try:
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)


def _rows(report: LaunchReport, over: str) -> Iterator[tuple[str, str, str]]:
    """Yield the outcome of each table that was launched or left, those first that were to be made and are not."""
    failed: list[tuple[str, str, str]] = []
    done: list[tuple[str, str, str]] = []
    rest: list[tuple[str, str, str]] = []
    for table, run in report.requested.items():
        if run in report.failed:
            failed.append(("failed", table, ": ".join(filter(None, (run, report.why_failed.get(run))))))
        else:
            done.append((over, table, run))
    for table, why in report.skipped.items():
        kind = "fail" if table in report.failing else "waits" if table in report.waiting else "skipped"
        (failed if kind == "fail" else rest).append((kind, table, why))
    yield from (*failed, *done, *rest)


def _total(report: LaunchReport) -> str:
    runs = f"{counted(len(report.requested), 'table')} in {counted(len(report.runs), 'run')}"
    runs += f", {len(report.failed):,} of them failed" if report.failed else ""
    reused = f"{len(report.reused):,} reused without a run, {len(report.moved):,} of them made current again"
    left = [(len(report.failing), "cannot be made"), (len(report.waiting), "waiting for a run")]
    return "; ".join([runs, reused, *(f"{number:,} {kind}" for number, kind in left if number)]) + "."
