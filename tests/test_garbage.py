"""The garbage collector stays off objects that were there before, and nobody finds it changed afterwards."""

from core_kit import run


# each in an interpreter of its own: threads that other tests have left may end objects at any time
def test_objects_of_before_are_left_alone() -> None:
    """Meanwhile they are frozen, also where the block is entered twice; afterwards none is, after an error too."""
    script = """
import gc
from jammi_dagster.garbage import left_alone
counts = [gc.get_freeze_count()]
try:
    with left_alone():
        counts.append(gc.get_freeze_count())
        with left_alone():
            counts.append(gc.get_freeze_count())
        counts.append(gc.get_freeze_count())
        raise KeyError
except KeyError:
    counts.append(gc.get_freeze_count())
print(*counts)
"""
    earlier, before, within, after, thawed = map(int, run(script).split())
    assert earlier == 0
    assert before > 0
    assert within == before
    assert after == before
    assert thawed == 0


def test_objects_that_others_froze_stay_frozen() -> None:
    """As a server does before it forks: the block neither adds to them nor thaws them."""
    script = """
import gc
from jammi_dagster.garbage import left_alone
gc.freeze()
counts = [gc.get_freeze_count()]
with left_alone():
    counts.append(gc.get_freeze_count())
counts.append(gc.get_freeze_count())
print(*counts)
"""
    frozen, within, after = map(int, run(script).split())
    assert frozen > 0
    assert within == frozen
    assert after == frozen


def test_an_import_of_a_public_name_collects_nothing() -> None:
    """Modules stay: the collector would walk through them, and through all of Dagster, again and again."""
    script = """
import gc
import dagster
import jammi_dagster
passes = []
gc.callbacks.append(lambda phase, info: passes.append(info["generation"]))
before = len(passes)
jammi_dagster.result_table
gc.callbacks.clear()
print(len(passes) - before <= 2 and gc.isenabled())
"""
    assert run(script).strip() == "True"


def test_many_objects_that_stay_are_taken_for_old_ones() -> None:
    """The trees of a code location stay: the end of the block walks through none of them. Few are left as they are."""
    script = """
import gc
from jammi_dagster.garbage import uncollected
def passes(size, frozen=False):
    gc.collect()
    if frozen:
        gc.freeze()
    seen = []
    note = lambda phase, info: seen.append(phase)
    gc.callbacks.append(note)
    with uncollected():
        held = [[] for _ in range(size)]
    further = [[] for _ in range(10)]
    gc.callbacks.remove(note)
    return len(seen), gc.get_freeze_count() > 0, gc.isenabled()
print(passes(300_000), passes(10_000)[0] > 0, passes(300_000, frozen=True)[1])
"""
    assert run(script).strip() == "(0, False, True) True True"
