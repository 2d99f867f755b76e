"""The README's example, run as a user would run it."""

import json
import re
import subprocess
import sys
from pathlib import Path

README = Path(__file__).parents[1] / "README.md"

RUN = """
import json, sys
import dagster as dg
from pipeline import defs

outcomes = {}
with dg.DagsterInstance.ephemeral() as instance:
    result = defs.resolve_implicit_global_asset_job_def().execute_in_process(instance=instance)
    for event in result.get_asset_materialization_events():
        metadata = event.materialization.metadata
        outcomes[event.asset_key.to_user_string()] = metadata["jammi/cache_outcome"].value
print(json.dumps(outcomes))
"""


def outcomes(folder: Path) -> dict[str, str]:
    """Run the pipeline in a fresh process and return each asset's outcome."""
    done = subprocess.run([sys.executable, "-c", RUN], cwd=folder, capture_output=True, text=True, check=True)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def test_the_example_does_what_the_text_below_it_says(tmp_path: Path) -> None:
    """The second run reuses all tables, a large order computes all, a small order stops at an equal table."""
    examples = re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / "pipeline.py").write_text("\n".join(examples))  # the later ones go on from the first
    orders = tmp_path / "orders.csv"

    orders.write_text("customer,amount\nada,250\nbob,20\n")
    assert outcomes(tmp_path) == dict.fromkeys(("orders", "large_orders", "turnover"), "computed")
    assert outcomes(tmp_path) == dict.fromkeys(("orders", "large_orders", "turnover"), "reused")

    orders.write_text("customer,amount\nada,300\nbob,20\n")
    assert outcomes(tmp_path) == dict.fromkeys(("orders", "large_orders", "turnover"), "computed")

    orders.write_text("customer,amount\nada,300\nbob,20\neve,5\n")
    assert outcomes(tmp_path) == {"orders": "computed", "large_orders": "computed", "turnover": "reused"}
