"""The index of first-party code is shared by the identities of a process, for as long as nothing in it is outdated."""

import importlib
import time
from collections.abc import Callable, Iterator

import pytest
from fingerprint_kit import Project

from benchmarks.code_location import write_location
from jammi_dagster.fingerprint import identify, reach
from jammi_dagster.fingerprint.reach.call_sites import call_sites
from jammi_dagster.fingerprint.reach.fixed_points import FixedPoints
from jammi_dagster.fingerprint.reach.graph import Graph
from jammi_dagster.fingerprint.reach.index import forget_all
from jammi_dagster.fingerprint.reach.reached import ReachedFile, Root
from jammi_dagster.fingerprint.sources.lookups import Lookups
from jammi_dagster.fingerprint.sources.modules import Module, child
from jammi_dagster.fingerprint.syntax.uses import Call

FILES = {
    "pkg/__init__.py": "from pkg import base, more\nTABLE = {}\nbase.fill(TABLE)\n",
    "pkg/base.py": "K = 1\ndef fill(table): table['a'] = other()\ndef other(): return 1\n",
    "pkg/more.py": "from pkg import base\ndef f(): return base.K\ndef g(): return 2\n",
    "pkg/data.sql": "select 1",
}
MOVES: dict[str, Callable[[Project], object]] = {
    "a module is edited": lambda project: project.write(
        {"pkg/base.py": FILES["pkg/base.py"].replace("1", "2")}
    ),
    "a package is edited": lambda project: project.write(
        {"pkg/__init__.py": FILES["pkg/__init__.py"] + "TABLE['b'] = 1\n"}
    ),
    "a module is gone": lambda project: (project.root / "pkg/base.py").unlink(),
}


def _identity(project: Project) -> object:
    """Identify `pkg.more.f` as a process would that has not imported it before."""
    project.forget()
    return identify(importlib.import_module("pkg.more").f)


@pytest.mark.parametrize("move", MOVES.values(), ids=MOVES)
def test_a_kept_reading_does_not_outlive_its_files(
    project: Project, move: Callable[[Project], object]
) -> None:
    """After a change on disk the identity is that of a process without any index."""
    project.write(FILES)
    function = importlib.import_module("pkg.more").f
    before = identify(function)
    assert identify(function) == before
    move(project)
    kept = identify(function)
    forget_all()
    assert identify(function) == kept
    assert kept != before


def test_a_module_that_is_imported_anew_is_read_anew(project: Project) -> None:
    """A module that a name imports by now is another one than that of the index."""
    project.write(FILES)
    before = _identity(project)
    project.write({"pkg/base.py": "K = 5\ndef fill(table): pass\n"})
    assert _identity(project) != before


def test_values_that_change_after_a_reading_count(project: Project) -> None:
    """A registry that is filled, or emptied again, after a reading was kept counts as it is now."""
    project.write({"reg.py": "TABLE = {}\ndef f(): return TABLE\n"})
    module = importlib.import_module("reg")
    empty = identify(module.f)
    module.TABLE["a"] = 1
    one = identify(module.f)
    assert identify(module.f) == one
    module.TABLE["a"] = 2
    two = identify(module.f)
    module.TABLE.clear()
    assert len({empty.digest, one.digest, two.digest}) == 3
    assert identify(module.f) == empty


def test_functions_within_a_changed_value_are_reached(project: Project) -> None:
    """A function that a registry holds counts with its code, also where it takes the place of another."""
    project.write(
        {"reg.py": "TABLE = {}\ndef a(): return 1\ndef b(): return 2\ndef f(): return TABLE['x']()\n"}
    )
    module = importlib.import_module("reg")
    module.TABLE["x"] = module.a
    first = identify(module.f)
    module.TABLE["x"] = module.b
    second = identify(module.f)
    assert "helper a (reg.py)" in first.named
    assert "helper b (reg.py)" in second.named
    assert "helper a (reg.py)" not in second.named


def test_a_packaged_file_counts_at_each_look(project: Project) -> None:
    """A kept reading does not keep the digest of a packaged file."""
    text = (
        "from pathlib import Path\nQ = (Path(__file__).parent / 'data.sql').read_text()\ndef f(): return Q\n"
    )
    project.write({**FILES, "pkg/query.py": text})
    function = importlib.import_module("pkg.query").f
    assert identify(function).unresolved == ()
    (project.root / "pkg/data.sql").write_text("select 2")
    assert "restart the code location" in identify(function).unresolved[0]


def test_the_order_in_which_functions_are_asked_for_does_not_matter(project: Project) -> None:
    """Functions that call each other have the same effects of loading, whichever is asked for first."""
    text = (
        "import os\nR, S = [], []\n"
        "def a(n): R.append(n); return b(n - 1) if n else 0\n"
        "def b(n): S.append(n); return a(n - 1) if n else 0\n"
        "A = a(int(os.environ.get('A', 3)))\nB = b(2)\n"
        "def f(): return R\ndef g(): return S\n"
    )
    project.write({"circle.py": text})
    module = importlib.import_module("circle")
    one = [identify(module.f), identify(module.g)]
    forget_all()
    assert [identify(module.g), identify(module.f)] == one[::-1]
    assert all(read.outside for read in one)


def test_values_in_a_circle_do_not_depend_on_the_first() -> None:
    """Each value of two circles with a common member is the least that fulfils its definition."""
    calls = {"a": "b", "b": "ac", "c": "d", "d": "c", "e": "a"}

    def found(first: str) -> dict[str, frozenset[str]]:
        points: FixedPoints[frozenset[str]] = FixedPoints(frozenset())

        def of(name: str) -> frozenset[str]:
            return points.of(name, lambda: frozenset(name).union(*map(of, calls[name])))

        return {name: of(name) for name in [first, *calls]}

    assert all(found(first) == found("a") for first in calls)
    assert found("d")["c"] == {"c", "d"}
    assert found("a")["b"] == {"a", "b", "c", "d"}


def test_a_start_is_followed_once(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each changed value may lead to further functions: those of before are not followed again, nor asked again."""
    tables = [f"T{number}" for number in range(9)]
    text = "".join(f"{name} = {{}}\ndef g{name}(x): return x.{name}\n" for name in tables)
    project.write({"reg.py": f"import pandas as pd\n{text}def f(): return {', '.join(tables)}\n"})
    module = importlib.import_module("reg")
    for name in tables:
        vars(module)[name]["x"] = vars(module)[f"g{name}"]
    started: list[object] = []
    asked: list[object] = []
    start, asked_of = Graph._start, Graph._asked_of

    def counted(graph: Graph, root: Root) -> None:
        started.append(root)
        start(graph, root)

    def asking(graph: Graph, reached: ReachedFile) -> Iterator[str]:
        before = reached.asked
        yield from asked_of(graph, reached)
        asked.extend(list(reached.parts)[before : reached.asked])

    monkeypatch.setattr(Graph, "_start", counted)
    monkeypatch.setattr(Graph, "_asked_of", asking)
    named = identify(module.f).named
    assert {f"helper g{name} (reg.py)" for name in tables} <= set(named)
    assert len(started) == len(set(started)) > len(tables)
    assert len(asked) == len(set(asked))


def test_an_attribute_that_is_asked_for_by_a_later_value_counts(project: Project) -> None:
    """The accessor that a function asks for which only a changed value holds is reached."""
    project.write(
        {
            "acc.py": "import pandas as pd\n@pd.api.extensions.register_dataframe_accessor('shop')\n"
            "class Shop:\n    def __init__(self, table): self.table = table\n",
            "reg.py": "import acc\nTABLE = {}\ndef late(x): return x.shop\ndef f(): return TABLE\n",
        }
    )
    module = importlib.import_module("reg")
    assert "class Shop (acc.py)" not in identify(module.f).named
    module.TABLE["x"] = module.late
    assert "class Shop (acc.py)" in identify(module.f).named


def test_the_callers_of_a_parameter_are_sought_once(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A parameter that many paths use gets its values from one search through the reached code."""
    reads = "".join(f"    pd.read_csv(Path(__file__).parent / name / 'r{at}.csv')\n" for at in range(5))
    text = (
        "import pandas as pd\nfrom pathlib import Path\n"
        f"def read(name):\n{reads}\ndef f():\n    read('eu')\n    read('us')\n"
    )
    project.write({"pkg/__init__.py": "", "pkg/flow.py": text})
    sought: list[str] = []

    def counted(graph: Graph, name: str) -> Iterator[Call | None]:
        sought.append(name)
        return call_sites(graph, name)

    monkeypatch.setattr(reach.call_sites, "call_sites", counted)
    assert identify(importlib.import_module("pkg.flow").f).outside == ()
    assert sought == ["read"]


@pytest.mark.slow
def test_a_location_that_builds_its_definitions_is_read_once(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """198 assets that all load the whole location: the second pass takes a tenth of a second or so."""
    write_location(project.root)
    package = importlib.import_module("location")
    functions = [asset.op.compute_fn.decorated_fn for asset in (*package.ALL, *package.factory.MADE)]
    started = time.process_time()
    first = [identify(function) for function in functions]
    middle = time.process_time()
    assert [identify(function) for function in functions] == first
    assert middle - started < 5
    assert time.process_time() - middle < 0.5
    assert max(len(one.components) for one in first) < 80
    assert not any(one.unresolved or one.outside for one in first)


def test_components_are_in_proportion_to_the_reached_code(project: Project) -> None:
    """A module that is only loaded is one component, however many statements it has; the identity has all of them."""
    loud = "S = []\n" + "\n".join(f"def h{i}(): return {i}\nS.append(h{i})\nK{i} = len(S)" for i in range(40))
    project.write({"loud.py": loud, "small.py": "import loud\ndef f(): return 1\n"})
    found = identify(importlib.import_module("small").f)
    assert [name for name in found.named if "loud.py" in name] == ["module-level code (loud.py)"]
    project.write({"loud.py": loud + "\nS.append(1)"})
    project.forget()
    assert identify(importlib.import_module("small").f).digest != found.digest


def test_a_module_behind_many_names_is_sought_once(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """The finder looks for it on the disk, which is slow where names of a thousand functions lead to it."""
    uses = ", ".join(f"base.n{number}" for number in range(9))
    files = {
        "pkg/base.py": "".join(f"n{number} = {number}\n" for number in range(9)),
        "pkg/flow.py": f"def f():\n    from pkg import base\n    return {uses}\n",
    }
    project.write({"pkg/__init__.py": "", **files})
    sought: list[tuple[str, str]] = []

    def counted(parent: Module | None, leaf: str, lookups: Lookups) -> Module | None:
        sought.append((parent.name if parent else "", leaf))
        return child(parent, leaf, lookups)

    monkeypatch.setattr(reach.routes, "child", counted)
    assert identify(importlib.import_module("pkg.flow").f).unresolved == ()
    assert ("pkg", "base") in sought
    assert len(sought) == len(set(sought))
