"""The cost of `import jammi_dagster` beyond `import dagster`."""

from __future__ import annotations

import importlib
import time
from statistics import median

from benchmarks.fresh import fresh
from benchmarks.report import Report, Row

BUDGET = 0.3

ABOUT = (
    "seconds of an import after `import dagster`, in a fresh process; `jammi_dagster:name` is "
    "`from jammi_dagster import name`, `what tables need` what Dagster's own SQLite instance and a user of pyarrow "
    "load anyway. `s` is the least of all rounds."
)
_OF_A_RUN = [
    f"jammi_dagster:{name}" for name in ("ResultStoreResource", "ResultTableIOManager", "result_table")
]
_NEEDED = ["dagster", "alembic.command", "pyarrow.compute", "pyarrow.parquet"]


def run(*, rounds: int = 7, one_by_one: bool = True) -> Report:
    """Measure the import, then all public names together, and `one_by_one`."""
    import jammi_dagster

    public = [f"jammi_dagster:{name}" for name in jammi_dagster.__all__]
    cases: dict[str, tuple[list[str], list[str]]] = {
        "dagster": ([], ["dagster"]),
        "what tables need": (["dagster"], _NEEDED),
        "jammi_dagster": (["dagster"], ["jammi_dagster"]),
        **({name: (["dagster"], [name]) for name in public} if one_by_one else {}),
        "names of a run that reuses": (["dagster", "pyarrow"], _OF_A_RUN),
        "all names": (["dagster"], public),
        "all names, after what tables need": (_NEEDED, public),
    }
    measured: dict[str, list[float]] = {case: [] for case in cases}
    for _ in range(rounds):
        for case, (before, wanted) in cases.items():
            measured[case].append(fresh(seconds, before=before, wanted=wanted).result)
    rows = []
    for case, taken in measured.items():
        values = {"s": min(taken), "median s": median(taken)}
        ours = case not in ("dagster", "what tables need")
        rows.append(
            Row(what=case, values=values, budget=BUDGET if ours else None, budgeted="s" if ours else "")
        )
    return Report(name="import_time", about=ABOUT, rows=rows)


def seconds(before: list[str], wanted: list[str]) -> float:
    """Measure, in a fresh process, the import of `wanted`, each `module` or `module:name`, after `before`."""
    for module in before:
        importlib.import_module(module)
    started = time.perf_counter()
    for each in wanted:
        module, _, name = each.partition(":")
        loaded = importlib.import_module(module)
        if name:
            getattr(loaded, name)
    return time.perf_counter() - started
