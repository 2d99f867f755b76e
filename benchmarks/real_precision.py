"""Precision of the code identity on real projects: their modules are fetched at a pinned version, and labelled by us.

python -m benchmarks real_precision
python -m benchmarks.real_precision redframes pudl
"""

from __future__ import annotations

import argparse
import importlib
import sys
import tempfile
import warnings
from collections.abc import Sequence
from pathlib import Path

from benchmarks.fresh import fresh
from benchmarks.precision import Asset, assets_of, labelled, report_of, verdict
from benchmarks.real_projects import BY_NAME, unpack
from benchmarks.report import Report

LABELS = "real.csv"
ABOUT = (
    "functions of real projects of the package index, labelled by two readings before any verdict; per cent with their "
    "95 % interval (Wilson)"
)


def run(*, names: Sequence[str] = tuple(BY_NAME)) -> Report:
    """Judge the functions of each project in a fresh process."""
    found = {key: asset for name in names for key, asset in fresh(judged, name=name).result.items()}
    labels = {key: label for key, label in labelled(LABELS).items() if key.partition(":")[0] in names}
    return report_of(found, labels, name="real_precision", about=ABOUT)


def judged(name: str) -> dict[str, Asset]:
    """Import a project, and identify its labelled functions: `{"redframes:fill": {"pinned": …}}`."""
    import jammi_dagster  # before the project, whose reads it watches

    project = BY_NAME[name]
    wanted = [key.partition(":")[2] for key in labelled(LABELS) if key.startswith(f"{name}:")]
    sys.dont_write_bytecode = True
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as folder:
        code, *others = unpack(project, Path(folder).resolve())
        sys.path[:0] = [str(code)]
        sys.path += map(str, others)
        exec(project.stand_ins, {})
        flow = importlib.import_module("flow")
        if project.has_definitions:
            assets = assets_of(flow, wanted)
        else:
            assets = {one: verdict(jammi_dagster.code_identity(getattr(flow, one))) for one in wanted}
        return {f"{name}:{asset}": told for asset, told in assets.items()}


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks.real_precision", description=__doc__)
    parser.add_argument(
        "names", nargs="*", metavar="PROJECT", help=f"of {', '.join(BY_NAME)}; all by default"
    )
    from benchmarks import real_precision  # by its name, by which a fresh process imports it

    report = real_precision.run(names=parser.parse_args().names or tuple(BY_NAME))
    print("\n".join(report.lines()))


if __name__ == "__main__":
    main()
