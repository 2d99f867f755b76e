"""Classes that draw without a seed, mentioned as values and called later."""

import pytest
from fingerprint_kit import Project

from jammi_dagster.fingerprint.sources.source import parse_source

IMPORTS = (
    "import enum, functools, operator, types, typing\nfrom random import Random as R\nimport numpy as np\n"
)
# A setup of the module and the body of a function; `@` stands for the arguments of the call.
CALLS = [
    ("", "return {'a': R}['a'](@)"),
    ("", "return {'a': np.random.RandomState}['a'](@)"),
    ("", "return [R][0](@)"),
    ("", "return (dict, R)[1](@)"),
    ("", "return (R if x else dict)(@)"),
    ("", "return (x or R)(@)"),
    ("", "return (c := R)(@)"),
    ("", "c = R\n    return c(@)"),
    ("", "c = {'a': R}\n    d = c['a']\n    return d(@)"),
    ("", "table = {}\n    table['a'] = R\n    return table['a'](@)"),
    ("", "table = []\n    table.append(R)\n    return table[0](@)"),
    ("", "return [c(@) for c in (R, R)]"),
    ("", "for c in [R]:\n        x = c(@)\n    return x"),
    ("", "for _, c in {'a': R}.items():\n        x = c(@)\n    return x"),
    ("", "for c in {R: 'a'}:\n        x = c(@)\n    return x"),
    ("", "return next(iter([R]))(@)"),
    ("", "return next(iter({'a': R}.values()))(@)"),
    ("", "return dict(a=R)['a'](@)"),
    ("", "return {'b': dict}.get(x, R)(@)"),
    ("", "return operator.itemgetter('a')({'a': R})(@)"),
    ("", "return types.SimpleNamespace(a=R).a(@)"),
    ("", "return types.SimpleNamespace(count=R).count(@)"),
    ("", "return [R].__getitem__(0)(@)"),
    ("", "return next([R].__iter__())(@)"),
    ("", "return [R].__iter__().__next__()(@)"),
    ("", "return typing.cast(typing.Any, R)(@)"),
    ("MODELS = {'a': R}", "return typing.cast(typing.Any, MODELS['a'])(@)"),
    ("MODELS = {'a': R}", "return MODELS.__getitem__('a')(@)"),
    ("", "def inner(c=R): return c(@)\n    return inner()"),
    ("", "return ([dict] + [R])[1](@)"),
    ("MODELS = {'a': R}", "return MODELS['a'](@)"),
    ("MODELS = {'a': R}", "return MODELS.get('a')(@)"),
    ("MODELS: dict[str, typing.Any] = {'a': R}", "return MODELS[x](@)"),
    ("MODELS = {'a': {'b': R}}", "return MODELS['a']['b'](@)"),
    ("MODELS = types.MappingProxyType({'a': R})", "return MODELS[x](@)"),
    ("MODELS = {}\nMODELS['a'] = R", "return MODELS[x](@)"),
    ("MODELS = {'a': R}", "return operator.itemgetter('a')(MODELS)(@)"),
    ("MODELS = {'a': R}", "made = functools.partial(MODELS['a'], @)\n    return made"),
    ("MODELS = {'a': R}\nclass K:\n    def run(self): return MODELS['a'](@)", "return K().run()"),
    ("class M:\n    model = R", "return M.model(@)"),
    ("class M:\n    model = R", "return M().model(@)"),
    ("class M:\n    model = R\n    def run(self): return self.model(@)", "return M().run()"),
    ("class M:\n    model = R", "return M.__dict__['model'](@)"),
    ("class M:\n    model = R", "return vars(M)['model'](@)"),
    ("class M:\n    models = {'a': R}", "return M.models[x](@)"),
    (
        "class M:\n    def __init__(self): self.model = R\n    def run(self): return self.model(@)",
        "return M().run()",
    ),
    ("MODELS = {'a': R}\ndef pick(key): return MODELS[key]", "return pick(x)(@)"),
    ("class E(enum.Enum):\n    A = R", "return E.A.value(@)"),
    ("class E(enum.Enum):\n    A = R", "return E[x].value(@)"),
    ("def pick(): return R", "c = pick()\n    return c(@)"),
    ("def fit(c, x): return c(@)", "return fit(R, x)"),
    ("def fit(c, x): return c(@)", "return fit(x=x, c=R)"),
    ("def fit(x, c=R): return c(@)", "return fit(x)"),
]
HARMLESS = [
    ("", "return isinstance(x, (R, np.random.RandomState))"),
    ("", "return issubclass(type(x), R)"),
    ("", "return type(x) is R or type(x) in (R, dict)"),
    ("", "y: R | None = None\n    return y"),
    ("", "try:\n        return x\n    except (R, ValueError):\n        return None"),
    ("", "return typing.cast(R, x)"),
    ("", "match x:\n        case R(): return 1\n    return 2"),
    ("", "return {R: 'random'}[type(x)]"),
    ("", "return R.__name__"),
    ("", "return R.__doc__, R.__module__, type(R)"),
    ("Seed = typing.Union[int, R]", "def inner(x: Seed): return x\n    return inner(x)"),
    ("Seed = int | R", "def inner(x: Seed): return x\n    return inner(x)"),
    ("TYPES = {'a': R}", "return isinstance(x, TYPES['a'])"),
    ("TYPES = (R, dict)", "return isinstance(x, TYPES)"),
    ("TYPES = {'a': R}", "return isinstance(x, tuple(TYPES.values()))"),
    ("NAMES = {R: 'a'}", "return NAMES.get(type(x))"),
    ("class M:\n    model: R", "return M"),
]
# Nobody sees the call.
UNSEEN = [
    ("", "return x.map(R)"),
    ("", "return len(x.filter(R))"),
    ("@functools.cache\ndef get(c): return c()", "return get(R)"),
    ("def get(c): return c()", "return get(R)"),
    ("", "return x.cast(R)"),
    ("", "class K({'a': R}['a']): pass\n    return K()"),
    ("import collections", "return collections.defaultdict(R)"),
    ("import dataclasses", "return dataclasses.field(default_factory=R)"),
    ("", "return R"),
    ("", "return list(map(R, x))"),
    ("", "return type('K', (R,), {})()"),
    ("MODELS = {'a': R}", "return list(map(MODELS.__getitem__, x))"),
    ("", "return x.fit({'a': R})"),
    ("", "return lambda: R"),
    ("MODELS = {'a': R}", "return x.fit(MODELS)"),
    ("def pick(): return R", "return x.map(pick)"),
    ("def pick(): return R\n@functools.cache\ndef g(): return pick()", "return x(g())"),
    ("class M:\n    model = R", "return getattr(M, 'model')()"),
    ("MODELS = {'a': R}\ndef run(seed=None): return MODELS['a'](seed)", "return run()"),
    ("SEED = None\nMODELS = {'a': R}", "return MODELS['a'](SEED)"),
    ("MODELS = {'a': R}", "return MODELS['a'](**x)"),
]


def _draws(project: Project, setup: str, body: str) -> set[str]:
    read = project.of_source(f"{IMPORTS}{setup}\ndef f(x):\n    {body}\n").outside
    return {one.what for one in read}


@pytest.mark.parametrize(("setup", "body"), CALLS)
def test_a_class_out_of_a_table_draws_unless_its_calls_are_seeded(
    project: Project, setup: str, body: str
) -> None:
    """A class is called where the code takes it from, with or without a seed."""
    assert _draws(project, setup.replace("@", ""), body.replace("@", ""))
    assert _draws(project, setup.replace("@", "7"), body.replace("@", "7")) == set()


@pytest.mark.parametrize(("setup", "body"), HARMLESS)
def test_a_class_that_is_only_compared_draws_nothing(project: Project, setup: str, body: str) -> None:
    """A check of types, an annotation, a handler or a key of a table calls nothing."""
    assert _draws(project, setup, body) == set()


@pytest.mark.parametrize(("setup", "body"), UNSEEN)
def test_a_class_that_goes_where_nobody_sees_its_calls_draws(project: Project, setup: str, body: str) -> None:
    """A class that is handed on counts as called without a seed."""
    assert _draws(project, setup, body)


@pytest.mark.parametrize(
    ("imports", "taken"),
    [
        ("from tables import MODELS", "MODELS['a']"),
        ("from tables import MODELS as known", "known['a']"),
        ("import tables", "tables.MODELS['a']"),
        ("import tables as t", "t.MODELS.get('a')"),
        ("from tables import *", "MODELS['a']"),
        ("from tables import Holder", "Holder.model"),
        ("from tables import Kind", "Kind[x].value"),
        ("from tables import picked", "picked['a']"),
        ("from tables import R", "{'a': R}['a']"),
        ("import tables", "[tables.R][0]"),
    ],
)
def test_a_class_of_another_module_is_followed(project: Project, imports: str, taken: str) -> None:
    """A table of one module whose classes another one calls draws as if it stood there."""
    project.write(
        {
            "tables.py": "from random import Random as R\nMODELS = {'a': R}\nclass Holder:\n    model = R\n"
            "def pick(): return MODELS\npicked = pick()\n"
            "import enum\nclass Kind(enum.Enum):\n    A = R\n"
        }
    )
    found = [
        project.of_source(f"{imports}\ndef f(x):\n    return {use}\n").outside
        for use in (f"{taken}()", f"{taken}(7)", f"isinstance(x, {taken})")
    ]
    assert [bool(one) for one in found] == [True, False, False]


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        ("", {"sklearn.ensemble.RandomForestClassifier"}),
        ("random_state=0", set()),
        ("shuffle=True", {"sklearn.ensemble.RandomForestClassifier", "sklearn.model_selection.KFold"}),
        ("shuffle=True, random_state=0", set()),
    ],
)
def test_models_out_of_a_table(arguments: str, names: set[str]) -> None:
    """The rule is that of a direct call: the words that seed a class, and those with which it draws at all."""
    source = parse_source(
        b"from sklearn.ensemble import RandomForestClassifier\nfrom sklearn.model_selection import KFold\n"
        b"def f(key):\n    return {'rf': RandomForestClassifier, 'folds': KFold}[key](%s)\n"
        % arguments.encode()
    )
    assert {one.name for one in source.units[source.by_name["f"][0]].parts["code"].outside} == names
