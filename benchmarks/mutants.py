"""Mutants of real libraries, judged by behaviour: where the returned value differs, the code identity must differ.

Each library is copied into a project as first-party code. Mutants of the lines that a fixed call executes are made one
after the other; each runs in a process of its own, which returns the value of the function and its identity.

    python -m benchmarks mutants
    python -m benchmarks.mutants tomli dateutil --each 500 --seed 3
"""

from __future__ import annotations

import argparse
import ast
import importlib
import importlib.util
import json
import os
import random
import resource
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.fresh import fresh
from benchmarks.mutant_libraries import BY_NAME, Library
from benchmarks.mutations import Mutation, mutations
from benchmarks.report import Report, Row

CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "jammi_dagster" / "mutants"
SECONDS, MEMORY_MB = 120, 4_000
HOLE = "helper"  # the kind of component that the control leaves out

ABOUT = (
    "mutants of the lines that a fixed call of a library executes; those that change the outcome, of which some return "
    "another value and the rest raise; whether the function is pinned; changed ones under an equal identity that no "
    "reuse comes from, since the function is not pinned (unseen), and those that would be reused (false hits). The "
    f"control takes an identity without its components of kind '{HOLE}'"
)


@dataclass(frozen=True, slots=True)
class Ran:
    """The outcome of a call, and, where it was asked for, the identity of its function."""

    outcome: str
    returned: bool = False
    pinned: bool = False
    digest: str = ""
    with_hole: str = ""


def run(*, names: Sequence[str] = tuple(BY_NAME), each: int = 150, seed: int = 1) -> Report:
    """Make up to `each` mutants of each library."""
    found = {name: fresh(mutate, name=name, each=each, seed=seed).result for name in names}
    columns = ("mutants", "changed", "returned", "pinned", "unseen", "false hits")
    totals = {column: sum(counts[column] for counts in found.values()) for column in columns}
    overlooked = sum(counts["with hole"] for counts in found.values())
    rows = [Row(what=name, values={c: counts[c] for c in columns}) for name, counts in found.items()]
    rows.append(Row(what="all", values=totals, budget=0, budgeted="false hits"))
    control = {"false hits": overlooked, "hole overlooked": int(not overlooked)}
    rows.append(Row(what="control: a planted hole", values=control, budget=0, budgeted="hole overlooked"))
    rows += [Row(what=hit, values={}) for counts in found.values() for hit in counts["hits"]]
    return Report(name="mutants", about=ABOUT, rows=rows)


def mutate(name: str, each: int, seed: int) -> dict[str, Any]:
    """Run mutants of one library, and count. `hits` names each false hit by place and change."""
    library = BY_NAME[name]
    sys.dont_write_bytecode = True
    from jammi_dagster.fingerprint import identify as identify  # loaded once, before the processes fork

    with tempfile.TemporaryDirectory() as folder:
        project = Path(os.path.realpath(folder))
        files = copy(library, project)
        original = _run(project, unless="", cpu_seconds=60)
        if original is None or not original.returned:
            raise RuntimeError(f"{name}: the call itself fails: {original and original.outcome}")
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu_seconds = 2 + int(3 * (used.ru_utime + used.ru_stime))  # for a mutant that does not end
        counts: dict[str, Any] = dict.fromkeys(("mutants", "changed", "returned", "unseen", "false hits"), 0)
        counts |= {"pinned": int(original.pinned), "with hole": 0, "hits": []}
        for path, tree, mutation in _chosen(project, files, each, seed):
            text = path.read_text()
            path.write_text(_changed(tree, mutation))
            ran = _run(project, unless=original.outcome, cpu_seconds=cpu_seconds)
            path.write_text(text)
            _count(counts, original, ran, f"{name} {path.name}:{mutation.line} ({mutation.kind})")
        return counts


def _chosen(
    project: Path, files: Sequence[Path], each: int, seed: int
) -> list[tuple[Path, ast.Module, Mutation]]:
    """Draw mutations of executed lines: four of five of the call, the others of loading."""
    executed = {(path, line): at for path, line, at in _forked(lambda: _executed(project)) or ()}
    points: dict[str, list[tuple[Path, ast.Module, Mutation]]] = {"call": [], "load": []}
    for path in files:
        tree = ast.parse(path.read_text())
        for mutation in mutations(tree):
            if at := executed.get((str(path), mutation.line)):
                points[at].append((path, tree, mutation))
    chance = random.Random(seed)
    called = chance.sample(points["call"], min(each * 4 // 5, len(points["call"])))
    return called + chance.sample(points["load"], min(each - len(called), len(points["load"])))


def _count(counts: dict[str, Any], original: Ran, ran: Ran | None, what: str) -> None:
    """Count a mutant. None is one that did not end; it gives no table, so nothing is said of it."""
    counts["mutants"] += 1
    if ran is None or not ran.digest:
        return
    counts["changed"] += 1
    counts["returned"] += ran.returned
    counts["with hole"] += ran.with_hole == original.with_hole
    if ran.digest != original.digest:
        return
    if original.pinned and ran.pinned:
        counts["false hits"] += 1
        counts["hits"].append(what)
    else:
        counts["unseen"] += 1


def copy(library: Library, project: Path) -> list[Path]:
    """Copy a library into a project as first-party code, with a function that calls it, and return its files."""
    source, name = _source(library), f"{library.name}_copy"
    files = sorted(source.rglob("*.py")) if source.is_dir() else [source]
    made = []
    for file in files:
        within = file.relative_to(source) if source.is_dir() else Path()
        target = project / name / within if source.is_dir() else project / f"{name}.py"
        target.parent.mkdir(parents=True, exist_ok=True)
        tree = ast.parse(file.read_text(encoding="utf-8"))
        target.write_text(ast.unparse(_Renamed(library.name).visit(tree)), encoding="utf-8")
        made.append(target)
    (project / "flow.py").write_text(f"{library.imports}\n\n\ndef table():\n    return {library.value}\n")
    return made


class _Renamed(ast.NodeTransformer):
    """Imports of the copy in the place of imports of the library."""

    def __init__(self, name: str) -> None:
        self._name, self._copy = name, f"{name}_copy"

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.ImportFrom:
        if not node.level and node.module and node.module.split(".")[0] == self._name:
            node.module = self._copy + node.module[len(self._name) :]
        return node

    def visit_Import(self, node: ast.Import) -> ast.Import:
        for alias in list(node.names):
            if alias.name.split(".")[0] == self._name:
                renamed = self._copy + alias.name[len(self._name) :]
                if alias.asname is None:
                    node.names.append(ast.alias(self._copy, self._name))
                alias.name = renamed
        return node


def _source(library: Library) -> Path:
    """Return the folder or file of a library: the installed one, or else the pinned one, which is fetched once."""
    found = importlib.util.find_spec(library.name)
    if found is None or found.origin is None:
        folder = CACHE / library.pinned
        if not folder.exists():
            command = [
                sys.executable,
                "-m",
                "pip",
                "install",
                "--quiet",
                "--no-deps",
                "--target",
                str(folder),
            ]
            subprocess.run([*command, library.pinned], check=True)
        sys.path.append(str(folder))
        importlib.invalidate_caches()
        found = importlib.util.find_spec(library.name)
    if found is None or found.origin is None:
        raise RuntimeError(f"{library.pinned} holds no module {library.name}")
    origin = Path(found.origin)
    if found.submodule_search_locations:
        return origin.parent
    return origin if origin.suffix == ".py" else origin.with_name(f"{library.name}.py")


def _changed(tree: ast.Module, mutation: Mutation) -> str:
    undo = mutation.with_change()
    try:
        return ast.unparse(tree)
    finally:
        undo()


def _run(project: Path, unless: str, cpu_seconds: int) -> Ran | None:
    answer = _forked(lambda: asdict(_ran(project, unless)), cpu_seconds)
    return None if answer is None else Ran(**answer)


def _ran(project: Path, unless: str) -> Ran:
    """Call the function. It is identified too, unless its outcome is the given one."""
    from jammi_dagster.fingerprint import identify

    sys.path.insert(0, str(project))
    for printed in (1, 2):  # of this process, which was forked for the call
        os.dup2(os.open(os.devnull, os.O_WRONLY), printed)
    try:
        function = importlib.import_module("flow").table
    except BaseException as error:
        return Ran(f"not loaded: {type(error).__name__}")
    try:
        outcome, returned = repr(function()), True
    except BaseException as error:
        outcome, returned = f"raised {type(error).__name__}: {error}", False
    if outcome == unless:
        return Ran(outcome)
    identity = identify(function)
    whole = {"digest": identity.digest, "slots": identity.slots, "libraries": dict(identity.libraries)}
    holed = {str(one): one.digest for one in identity.components if one.kind != HOLE}
    return Ran(
        outcome,
        returned=returned,
        pinned=not identity.unresolved and not identity.outside,
        digest=json.dumps(whole, sort_keys=True),
        with_hole=json.dumps(holed, sort_keys=True),
    )


def _executed(project: Path) -> list[tuple[str, int, str]]:
    """Return the executed lines of the copy, each with the time: when it is loaded, or when the function is called."""
    sys.path.insert(0, str(project))
    lines: dict[tuple[str, int], str] = {}
    root, at = str(project), "load"

    def trace(frame: Any, event: str, _: object) -> Any:
        if not frame.f_code.co_filename.startswith(root):
            return None
        if event == "line":
            lines[frame.f_code.co_filename, frame.f_lineno] = at
        return trace

    sys.settrace(trace)
    try:
        function = importlib.import_module("flow").table
        at = "call"
        function()
    finally:
        sys.settrace(None)
    return sorted((path, line, at) for (path, line), at in lines.items())


def _forked(work: Callable[[], Any], cpu_seconds: int = 60) -> Any:
    """Return the result of work in a forked process, as JSON gives it back; None if it does not end in time."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        try:
            os.close(reading)
            signal.alarm(SECONDS)  # ends the process, as the limits do
            resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds))
            resource.setrlimit(resource.RLIMIT_AS, (MEMORY_MB << 20, MEMORY_MB << 20))
            with os.fdopen(writing, "w") as pipe:
                pipe.write(json.dumps(work()))
        finally:
            os._exit(0)  # whatever was raised: the parent's code must not go on here
    os.close(writing)
    with os.fdopen(reading) as pipe:
        answer = pipe.read()
    os.waitpid(child, 0)
    try:
        return json.loads(answer)
    except ValueError:
        return None


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks.mutants", description=__doc__)
    parser.add_argument(
        "names", nargs="*", metavar="LIBRARY", help=f"of {', '.join(BY_NAME)}; all by default"
    )
    parser.add_argument("--each", type=int, default=150, help="the most mutants of a library")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    from benchmarks import mutants  # by its name, by which a fresh process imports it

    report = mutants.run(names=asked.names or tuple(BY_NAME), each=asked.each, seed=asked.seed)
    print("\n".join(report.lines()))


if __name__ == "__main__":
    main()
