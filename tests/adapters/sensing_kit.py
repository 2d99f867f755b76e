"""What the tests of sensing share: an evaluation of everything that some assets have made."""

from collections.abc import Iterable
from typing import Any

import dagster as dg
from adapters_kit import Lab

from jammi_dagster.adapters.evaluation import Evaluation, Evaluator
from jammi_dagster.adapters.location import Location


def definitions(lab: Lab, assets: Iterable[Any], **more: Any) -> dg.Definitions:
    """The assets as a code location on the lab's store."""
    return dg.Definitions(assets=list(assets), resources=lab.resources, **more)


def evaluate(lab: Lab, assets: Iterable[Any], **options: Any) -> Evaluation:
    """One look at all of the assets, in a code location of its own."""
    location = Location.of(definitions(lab, assets), lab.instance)
    evaluator = Evaluator(location)
    found = evaluator.evaluate(evaluator.assets(location.select("*")), **options)
    assert not evaluator.problems
    return found


def kinds(found: Evaluation) -> dict[str, str]:
    """The kind of each table that is not plainly fresh."""
    return {table: state.kind for table, state in found.tables.items()}
