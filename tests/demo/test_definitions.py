"""The code location that the README shows and `make ui` opens."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import definitions


def test_dagster_loads_it_before_there_are_raw_files(project: Path) -> None:
    """Loading neither reads raw files nor creates any: only materializing an asset needs them."""
    home = project / "dagster_home"
    shutil.rmtree(home / "raw")
    dagster = Path(sys.executable).with_name("dagster")
    ended = subprocess.run(
        [dagster, "definitions", "validate", "-f", "definitions.py"],
        cwd=project,
        env=os.environ | {"DAGSTER_HOME": str(home)},
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 0, ended.stderr
    assert not (home / "raw").exists()
    assert not (home / "results").exists()


def test_the_graph_has_the_shapes_that_the_demo_is_about() -> None:
    """Months that fan in, a diamond over the neighbour graph, and siblings that a changed config leaves alone."""
    upstream = {
        spec.key.to_user_string(): {dep.asset_key.to_user_string() for dep in spec.deps}
        for spec in definitions.defs.resolve_all_asset_specs()
    }
    assert len(upstream) == 11
    assert len(definitions.MONTHS.get_partition_keys()) == 12
    assert upstream["all_flights"] == {"flights"}
    assert upstream["departures"] == {"all_flights", "weather"}
    assert upstream["route_neighbors"] == {"route_days"}
    assert upstream["expected_delays"] == {"route_days", "route_neighbors"}
    assert {asset for asset in upstream if "expected_delays" in upstream[asset]} == {"route_surprises"}
    assert not any("route_surprises" in above for above in upstream.values())
