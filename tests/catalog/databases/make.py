"""Makes `<revision>.sql` here: a small catalog at the newest revision, as SQL, with the answers it gave.

Run once when a revision is released, and never again for that one: `python tests/catalog/databases/make.py`.
"""

import json
import sys
import tempfile
from pathlib import Path

FOLDER = Path(__file__).parent
sys.path[:0] = [str(FOLDER.parents[2]), str(FOLDER.parents[1] / "support")]

from core_kit import make, numbers  # noqa: E402
from databases_kit import answers, dump  # noqa: E402
from store_kit import attempt_on, child, definition, killed_before_the_flip, output  # noqa: E402

from jammi_dagster import InputAnchor, ResultStore  # noqa: E402
from jammi_dagster.catalog import migrations  # noqa: E402


def fill(store: ResultStore) -> None:
    """Something of everything that a catalog of this revision holds."""
    make(store, "up")
    child(store, "down", "up")
    make(store, "up", numbers(5))
    make(store, "over files", inputs=[InputAnchor.source_version(f"file:{name}", "1") for name in "ba"])
    make(store, "unpinned", inputs=[InputAnchor.unpinned_at_instant("api:x", "2026-01-01T00:00:00Z")])
    store.drop(make(store, "dropped", step=2).table)
    with attempt_on(store, "said") as attempt:
        attempt.write("said", numbers(2))
        attempt.publish([output("said", annotation={"checks": [1]}, compute_seconds=1.5)], run_id="run")
    attempt_on(store, "é[2026-01-01]", owner="dead/step")
    killed_before_the_flip(store, "dead", step=3)
    first = make(store, "held")
    make(store, "held", numbers(2))
    store.rollback("held", first.materialization_id, by="me")
    before, after = ({"producer": "test", "code": {"digest": digit}} for digit in "12")
    store.materialize("accepted", numbers(2), descriptor=before, env={}, inputs=[])
    store.accept("accepted", descriptor=after, env={}, inputs=[], reason="renamed", by="me")
    up = [("up", store.current("up").materialization_id)]
    store.writer.point(up, start_sequence=1, run_id=None, events={"up": "{}"})
    for other in (store.beside(tenant="acme"), store.beside(deployment="branch")):
        make(other, "up", numbers(7))
    child(store.beside(deployment="feature", parent="default"), "of the branch", "up")
    branch = store.beside(deployment="branch")
    make(branch, "ahead")
    branch.promote("default", ["ahead"], definitions={"ahead": definition(9)}, ahead_of_code=True, by="me")
    store.pin("up", reason="the paper")
    store.collect({}, dry_run=False)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        made = ResultStore(f"{folder}/root", f"{folder}/catalog.db")
        fill(made)
        made.close()
        (FOLDER / f"{migrations.HEAD}.sql").write_text(dump(Path(folder) / "catalog.db"))
        told = answers(ResultStore(f"{folder}/root", f"{folder}/catalog.db"))
        (FOLDER / f"{migrations.HEAD}.json").write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n")
