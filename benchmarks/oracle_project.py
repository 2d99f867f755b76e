"""A random pipeline as values, its source text, and random edits of it."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

FORMS = ("function", "class", "registry", "decorator", "closure")
OPERATORS = ("+", "*", "^", "-")


@dataclass
class Helper:
    """A step of the computation: `x OPERATOR constant`, in one of several forms of code."""

    form: str
    operator: str
    constant: int


@dataclass
class Node:
    """An asset: its parents, the helper that it calls, its constant, its config, and a file if it has no parents."""

    name: str
    parents: list[str]
    helper: int
    constant: int
    partitioned: bool
    default: int | None = None
    given: int | None = None
    """The value in run config, once one was given."""

    @property
    def file(self) -> str | None:
        """The name of the file that it reads."""
        return None if self.parents else f"{self.name}.txt"


@dataclass
class Project:
    """A pipeline in topological order, its helpers, files and partition keys."""

    nodes: list[Node]
    helpers: list[Helper]
    files: dict[str, list[int]]
    keys: list[str]
    comment: int = 0
    earlier: list[Project] = field(default_factory=list, repr=False)

    def write(self, folder: Path) -> None:
        """Write the modules and the files of the project."""
        texts = {"logic.py": _logic(self), "pipe.py": _pipe(self)}
        texts["dagster.yaml"] = "telemetry:\n  enabled: false\n"
        texts |= {name: " ".join(map(str, values)) for name, values in self.files.items()}
        for name, text in texts.items():
            path = folder / name
            if not path.exists() or path.read_text() != text:
                path.write_text(text)


def random_project(chance: random.Random) -> Project:
    """Draw a project of three to six assets; at least one has partitions."""
    helpers = [Helper(chance.choice(FORMS), chance.choice(OPERATORS), chance.randint(1, 9)) for _ in range(4)]
    nodes: list[Node] = []
    for number in range(chance.randint(3, 6)):
        parents = chance.sample([node.name for node in nodes], min(len(nodes), chance.choice((0, 1, 1, 2))))
        nodes.append(
            Node(
                name=f"a{number}",
                parents=parents,
                helper=chance.randrange(4),
                constant=chance.randint(1, 9),
                partitioned=number == 0 or chance.random() < 0.4,
                default=chance.choice((None, chance.randint(1, 9))),
            )
        )
    files = {node.file: [chance.randint(0, 99) for _ in range(3)] for node in nodes if node.file}
    return Project(nodes=nodes, helpers=helpers, files=files, keys=["k0", "k1"])


def edit(project: Project, chance: random.Random) -> str:
    """Change a project in one random way, and say how."""
    before = copy.deepcopy(project)
    name, change = chance.choice(_EDITS)
    said = change(project, chance)
    if name != "revert":
        before.earlier = []
        project.earlier.append(before)
    return f"{name}: {said}"


def _helper(project: Project, chance: random.Random) -> str:
    number = chance.randrange(len(project.helpers))
    helper = project.helpers[number]
    if chance.random() < 0.4:
        helper.operator = chance.choice([one for one in OPERATORS if one != helper.operator])
    else:
        helper.constant += chance.randint(1, 5)
    return f"helper {number} is now x {helper.operator} {helper.constant}"


def _body(project: Project, chance: random.Random) -> str:
    node = chance.choice(project.nodes)
    node.constant += 1
    return f"{node.name} adds {node.constant}"


def _called(project: Project, chance: random.Random) -> str:
    node = chance.choice(project.nodes)
    node.helper = (node.helper + 1) % len(project.helpers)
    return f"{node.name} calls helper {node.helper}"


def _parents(project: Project, chance: random.Random) -> str:
    node = chance.choice([node for node in project.nodes if node.parents])
    above = [one.name for one in project.nodes[: project.nodes.index(node)] if one.name not in node.parents]
    if above and chance.random() < 0.6:
        node.parents.append(chance.choice(above))
    else:
        node.parents.reverse()
    return f"{node.name} has parents {node.parents}"


def _default(project: Project, chance: random.Random) -> str:
    node = chance.choice(project.nodes)
    node.default = (node.default or 0) + 1
    return f"{node.name} has default {node.default}"


def _given(project: Project, chance: random.Random) -> str:
    node = chance.choice(project.nodes)
    node.default = node.default or 1
    node.given = chance.randint(10, 19)
    return f"{node.name} is given {node.given}"


def _data(project: Project, chance: random.Random) -> str:
    name = chance.choice(sorted(project.files))
    project.files[name] = [chance.randint(0, 99) for _ in range(chance.randint(1, 4))]
    return f"{name} is {project.files[name]}"


def _keys(project: Project, chance: random.Random) -> str:
    if len(project.keys) > 1 and chance.random() < 0.4:
        return f"{project.keys.pop()} is gone"
    project.keys.append(f"k{int(project.keys[-1][1:]) + 1}")
    return f"{project.keys[-1]} is new"


def _comment(project: Project, chance: random.Random) -> str:
    project.comment += 1
    return "comments only"


def _revert(project: Project, chance: random.Random) -> str:
    if not project.earlier:
        return "nothing"
    earlier = project.earlier.pop()
    given = {node.name: node.given for node in project.nodes}
    project.nodes, project.helpers, project.files = earlier.nodes, earlier.helpers, earlier.files
    for node in project.nodes:  # the config of a run stays recorded
        node.given = given[node.name]
        node.default = (node.default or 1) if node.given is not None else node.default
    return "the edit before"


_EDITS: tuple[tuple[str, Callable[[Project, random.Random], str]], ...] = (
    ("helper", _helper),
    ("body", _body),
    ("called", _called),
    ("parents", _parents),
    ("default", _default),
    ("config", _given),
    ("data", _data),
    ("partitions", _keys),
    ("comment", _comment),
    ("revert", _revert),
)


def _logic(project: Project) -> str:
    text = [
        "STEPS = {}\n\n\ndef step(name):\n    def register(f):\n        STEPS[name] = f\n        return f\n"
    ]
    text.append(
        "    return register\n\n\ndef each(f):\n    def over(xs):\n        return [f(x) for x in xs]\n"
    )
    text.append("    return over\n")
    for number, helper in enumerate(project.helpers):
        text.append(_FORMS[helper.form].format(n=number, op=helper.operator, c=helper.constant))
    for node in project.nodes:
        call = "STEPS['h{n}'](xs)" if project.helpers[node.helper].form == "registry" else "h{n}(xs)"
        text.append(
            f"\ndef {node.name}(xs, k, key):  # {'edited ' * project.comment}\n"
            f"    xs = {call.format(n=node.helper)}\n"
            f"    return [(x * 3 + {node.constant} + k + len(key) + sum(map(ord, key))) % 1009 for x in xs]\n"
        )
    return "\n".join(text)


_FORMS = {
    "function": "C{n} = {c}\n\n\ndef h{n}(xs):\n    return [x {op} C{n} for x in xs]\n",
    "class": (
        "class H{n}:\n    by = {c}\n\n    def one(self, x):\n        return x {op} self.by\n\n"
        "    def all(self, xs):\n        return [self.one(x) for x in xs]\n\n\n"
        "def h{n}(xs):\n    return H{n}().all(xs)\n"
    ),
    "registry": "@step('h{n}')\ndef _h{n}(xs):\n    return [x {op} {c} for x in xs]\n",
    "decorator": "@each\ndef h{n}(x):\n    return x {op} {c}\n",
    "closure": (
        "def make{n}(by):\n    def inner(xs):\n        return [x {op} by for x in xs]\n\n    return inner\n\n\n"
        "h{n} = make{n}({c})\n"
    ),
}


def _pipe(project: Project) -> str:
    text = [
        "import os\n\nimport dagster as dg\nimport pyarrow as pa\n\nimport logic\n"
        "from jammi_dagster import ResultStoreResource, ResultTableIOManager, build_staleness_sensor, finalize\n"
        "from jammi_dagster import result_table\nfrom jammi_dagster.surfaces import file\n\n"
        "HERE = os.path.dirname(os.path.abspath(__file__))\n"
        f"KEYS = dg.StaticPartitionsDefinition({project.keys!r})\n\n\n"
        "def column(table):\n"
        "    if isinstance(table, dict):\n"
        "        return [x for key in sorted(table) for x in column(table[key])]\n"
        "    return table['x'].to_pylist()\n\n\n"
        "def table(xs):\n    return pa.table({'x': pa.array(xs, pa.int64())})\n"
    ]
    partitioned = {node.name for node in project.nodes if node.partitioned}
    for node in project.nodes:
        text.append(_asset(node, partitioned))
    names = ", ".join(node.name for node in project.nodes)
    text.append(
        "STORE = ResultStoreResource(root=os.path.join(HERE, 'store'))\n"
        "SENSOR = build_staleness_sensor(missing='materialize')\n"
        f"defs = finalize(dg.Definitions(assets=[{names}], sensors=[SENSOR],\n"
        "    resources={'io_manager': ResultTableIOManager(store=STORE, cache='use')}))\n"
    )
    return "\n\n".join(text)


def _asset(node: Node, partitioned: set[str]) -> str:
    options, parameters = [], []
    if node.partitioned:
        options.append("partitions_def=KEYS")
        parameters.append("context: dg.AssetExecutionContext")
    if node.file:
        options.append(f"reads=[file(os.path.join(HERE, '{node.file}'), name='{node.file}')]")
    config = ""
    if node.default is not None:
        config = f"class Config_{node.name}(dg.Config):\n    k: int = {node.default}\n\n\n"
        parameters.append(f"config: Config_{node.name}")
    for parent in node.parents:
        fan_in = parent in partitioned and not node.partitioned
        parameters.append(f"{parent}: {'dict[str, pa.Table]' if fan_in else 'pa.Table'}")
    lines = []
    if node.file:
        lines.append(f"    with open(os.path.join(HERE, '{node.file}')) as source:")
        lines.append("        xs = [int(word) for word in source.read().split()]")
    else:
        lines.append(f"    xs = [*{', *'.join(f'column({parent})' for parent in node.parents)}]")
    key = "context.partition_key" if node.partitioned else "''"
    k = "config.k" if node.default is not None else "0"
    lines.append(f"    return table(logic.{node.name}(xs, {k}, {key}))")
    head = f"@result_table({', '.join(options)})\ndef {node.name}({', '.join(parameters)}) -> pa.Table:\n"
    return config + head + "\n".join(lines)
