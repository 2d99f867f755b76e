"""Runs of a pass with one fault each, in this process or in one that it kills, and their judgement."""

import contextlib
import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection
from typing import Any

from core_kit import Child
from fault_judge_kit import Expected, after_a_fault, after_the_next_run, in_the_end, whole_attempts
from fault_scenarios_kit import SCENARIOS, Scenario, recover_all
from fault_stacks_kit import Place, Seen, Stack
from faults_kit import KILLED, Interrupted, Kind, Operation, Seams
from faults_s3_kit import on_s3
from store_kit import expire

from jammi_dagster.errors import JammiError

_SECONDS = 60


class Killer:
    """A process that forks one for each pass that is killed."""

    def __init__(self) -> None:
        self._server = Child(_serve)

    def run(self, place: Place, scenario: Scenario, at: int, kind: Kind) -> str:
        """Run the pass; give `acknowledged`, `killed`, or the error."""
        self._server.tell((place, scenario.name, at, kind))
        return str(self._server.told())

    def warm(self, place: Place, scenario: Scenario) -> None:
        """Run the pass once in the process itself, so that its forks find statements compiled."""
        if not place.root.startswith("s3:"):  # whose threads no fork would have
            self._server.tell((place, scenario.name, -1, Kind.BEFORE))
            assert self._server.told() == "acknowledged"

    def close(self) -> None:
        """End the process."""
        self._server.tell(None)
        self._server.result()


def _serve(talk: Connection) -> None:
    _prepare()
    with Seams().installed() as seams:
        while (task := talk.recv()) is not None:
            if task[2] < 0:
                talk.send(_killed(seams, *task))
                continue
            process = os.fork()
            if process == 0:
                signal.alarm(_SECONDS)
                talk.send(_killed(seams, *task))
                os._exit(0)
            _, status = os.waitpid(process, 0)
            code = os.waitstatus_to_exitcode(status)
            if code != 0:
                talk.send("killed" if code == KILLED else f"ended with {code}")


def _prepare() -> None:
    """Load all that a fork would otherwise load."""
    global _session
    import psycopg  # noqa: F401
    import s3fs  # type: ignore[import-untyped]  # noqa: F401
    from aiobotocore.session import AioSession

    _session = AioSession()
    loader = _session.get_component("data_loader")
    for kind in ("service-2", "paginators-1", "endpoint-rule-set-1"):
        loader.load_service_model("s3", kind)
    for name in ("partitions", "endpoints", "_retry", "sdk-default-configuration"):
        loader.load_data(name)


_session: Any = None


def _killed(seams: Seams, place: Place, name: str, at: int, kind: Kind) -> str:
    guard: Any = contextlib.nullcontext()
    if place.options is not None:
        guard = on_s3(seams)
        place = replace(place, options={**place.options, "session": _session, "skip_instance_cache": True})
    with guard:
        return passed(seams, place, SCENARIOS[name], at, kind)


def passed(seams: Seams, place: Place, scenario: Scenario, at: int, kind: Kind) -> str:
    """Open the store and run the pass; give `acknowledged`, `interrupted`, or the error."""
    with contextlib.ExitStack() as stack:
        try:
            with seams.armed(at, kind):
                store = place.open()
                stack.callback(store.close)
                scenario.act(store)
        except JammiError as error:
            return f"raised {type(error).__name__}"
        except Interrupted:
            return "interrupted"
        except Exception as error:
            return f"RAW {type(error).__name__}: {error}"
    return "acknowledged"


@dataclass
class Broken:
    """A scenario on a stack, prepared once, with the operations of a clean run."""

    stack: Stack
    scenario: Scenario
    seams: Seams
    killer: Killer | None = None
    operations: list[Operation] = field(init=False)
    expected: Expected = field(init=False)
    _kept: Any = field(init=False)
    _flip: int = field(init=False)

    def __post_init__(self) -> None:
        self.scenario.prepare(self.stack)
        self._kept = self.stack.keep()
        before = self.stack.seen()
        with contextlib.closing(self.stack.place.open()) as store:
            store.tables()  # a process makes its stand-in for a catalog that is not there once
        self.stack.reset(self._kept)  # to look at a catalog makes its schema
        assert passed(self.seams, self.stack.place, self.scenario, -1, Kind.BEFORE) == "acknowledged"
        self.operations = list(self.seams.log)
        commits = [i for i, operation in enumerate(self.operations) if operation.name == "commit"]
        self._flip = commits[-1] if self.scenario.flips else 0
        after = self.stack.seen()
        self._next_run()
        self._recover()
        self.expected = Expected(before, after, self.stack.seen())
        if self.killer is not None:
            self.stack.reset(self._kept)
            self.killer.warm(self.stack.place, self.scenario)

    def cases(self) -> Iterator[tuple[int, Kind]]:
        """Yield every fault of every operation."""
        for at, operation in enumerate(self.operations):
            for kind in operation.kinds:
                yield at, kind

    def violations(self, at: int, kind: Kind) -> list[str]:
        """Run the pass with one fault, then what follows; give the rules that were broken."""
        self.stack.reset(self._kept)
        if kind.kills:
            assert self.killer is not None
            said = self.killer.run(self.stack.place, self.scenario, at, kind)
        else:
            said = passed(self.seams, self.stack.place, self.scenario, at, kind)
        where = f"{self.stack.name}, {self.scenario.name}, {at} ({self._named(at)}), {kind.value}, {said}"
        return [f"{where}: {what}" for what in self._judged(at, kind, said)]

    def _named(self, at: int) -> str:
        return f"{self.operations[at].surface} {self.operations[at].name}"

    def _judged(self, at: int, kind: Kind, said: str) -> Iterator[str]:
        # a pass that could not see an object has not lost it: the next one goes on
        is_over = said == "acknowledged" and self.scenario.flips
        if kind.kills and said != "killed":
            yield "it was not killed"
        if said.startswith("RAW"):
            yield "an error of the driver passed through"
        now = self.stack.seen()
        changes = not self.scenario.flips or at > self._flip or (at == self._flip and kind in _TOOK_EFFECT)
        yield from after_a_fault(self.expected, now, acknowledged=is_over, may_change=is_over or changes)
        whole = whole_attempts(now)
        try:
            if at % 2 and self.scenario.recovers:  # else the writer itself tries again first
                self._recover()
                yield from _published(whole, self.stack.seen())
            self._next_run()
            yield from after_the_next_run(self.expected, self.stack.seen())
            self._recover()
            last = self.stack.seen()
            yield from in_the_end(self.expected, last)
            if at % 2 == 0:
                self._recover()
                yield from _unchanged(last, self.stack.seen())
        except JammiError as error:
            yield f"the next run raised {type(error).__name__}: {error}"

    def _next_run(self) -> None:
        with contextlib.closing(self.stack.place.open()) as store:
            expire(store)
            self.scenario.act(store)

    def _recover(self) -> None:
        with contextlib.closing(self.stack.place.open()) as store:
            expire(store)
            recover_all(store)


_TOOK_EFFECT = (Kind.AFTER, Kind.KILL_AFTER)


def _published(whole: set[str], now: Seen) -> Iterator[str]:
    for identity in whole:
        if now.rows[identity].status != "ready":
            yield f"a whole attempt was not published: {now.rows[identity].table_name}"


def _unchanged(last: Seen, now: Seen) -> Iterator[str]:
    if {one: row.status for one, row in last.rows.items()} != {
        one: row.status for one, row in now.rows.items()
    }:
        yield "another recovery changes rows"
    for path in last.objects.keys() ^ now.objects.keys():
        yield f"another recovery changes objects: {path}"
