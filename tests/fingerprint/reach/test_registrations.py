"""Attributes that a plugin gives to tables: they count where code asks for them by name, and only there."""

import sys
from collections.abc import Iterable, Iterator, Mapping

import pytest
from fingerprint_kit import Project, identity_in_location, write_location

from jammi_dagster.fingerprint import CodeIdentity, fix_location, identify

FLAVOR = "import pandas_flavor as pf\n"
TIDY = f"{FLAVOR}@pf.register_dataframe_method\ndef tidy(df, *more): return 2\n"
GEO = (
    "import pandas as pd\n@pd.api.extensions.register_dataframe_accessor('geo')\nclass Geo:\n"
    "    def __init__(self, o): pass\n    def area(self): return 2\n"
)
PD = "import pandas as pd\n"

# Plugins, and functions whose result depends on the number 2 in them.
ASKED = {
    "a method": (TIDY, "def f(src): return src.tidy()"),
    "a method of its class": (TIDY, f"{PD}def f(src): return pd.DataFrame.tidy(src)"),
    "a method as a value": (TIDY, "def f(src):\n    how = src.tidy\n    return how()"),
    "a method of a result": (TIDY, "def f(src): return src.dropna()[['a']].copy().tidy()"),
    "an accessor": (GEO, "def f(src): return src.geo.area()"),
    "a namespace": (
        "import polars as pl\n@pl.api.register_lazyframe_namespace('geo')\nclass G:\n    def area(self): return 2\n",
        "def f(src): return src.lazy().geo.area()",
    ),
    "getattr": (TIDY, "def f(src): return getattr(src, 'tidy')()"),
    "getattr over a loop": (TIDY, "def f(src): return [getattr(src, how)() for how in ('head', 'tidy')]"),
    "getattr of a text that is put together": (TIDY, "def f(src): return getattr(src, 'ti' + 'dy')"),
    "getattr by a parameter": (TIDY, f"{PD}def f(src: pd.DataFrame, how='x'): return getattr(src, how)()"),
    "hasattr": (TIDY, "def f(src, how): return hasattr(src, how)"),
    "methodcaller": (
        TIDY,
        "from operator import methodcaller\ndef f(src): return methodcaller('tidy', 1)(src)",
    ),
    "attrgetter": (GEO, "from operator import attrgetter\ndef f(src): return attrgetter('geo.area')(src)()"),
    "pipe to a helper": (TIDY, "def helper(df): return df.tidy()\ndef f(src): return src.pipe(helper)"),
    "a lambda": (TIDY, "def f(src): return src.pipe(lambda df: df.tidy())"),
    "a text of agg": (TIDY, "def f(src): return src.agg('tidy')"),
    "a text within agg": (TIDY, "def f(src): return src.agg({'a': ['sum', 'tidy']})"),
    "a text of a module": (TIDY, "HOW = 'tidy'\ndef f(src): return src.agg(HOW)"),
    "an unknown text of agg": (TIDY, "def f(src, how): return src.agg(how)"),
    "an unknown text by name": (TIDY, "def f(src, how): return src.groupby('a').agg(total=('x', how))"),
    "an unknown text of apply": (TIDY, "def f(src, how): return src.apply(func=how.strip('x'))"),
    "an unknown text of a pivot": (TIDY, f"{PD}def f(src, how): return pd.pivot_table(src, aggfunc=how)"),
    "an unknown table of texts": (TIDY, "def f(src, config): return src.agg(**config)"),
    "an expression": (TIDY, "def f(src): return src.eval('x.tidy() + 1', engine='python')"),
    "__getattribute__": (TIDY, "def f(src, how): return src.__getattribute__(how)()"),
    "a pattern": (TIDY, "def f(src):\n    match src:\n        case object(tidy=found): return found()"),
    "a call of the registrar": (
        f"{FLAVOR}def tidy(df): return 2\npf.register_dataframe_method(tidy)",
        "def f(src): return src.tidy()",
    ),
    "a call with a name": (
        "import pandas as pd\nclass Geo:\n    def area(self): return 2\n"
        "pd.api.extensions.register_dataframe_accessor('geo')(Geo)",
        "def f(src): return src.geo.area()",
    ),
    "two classes": (
        f"{FLAVOR}@pf.register_series_method\n@pf.register_dataframe_method\ndef tidy(df): return 2",
        "def f(src): return src.tidy()",
    ),
    "a helper of the plugin": (
        f"{FLAVOR}def help(): return 2\n@pf.register_dataframe_method\ndef tidy(df): return help()",
        "def f(src): return src.tidy()",
    ),
    "another method that it asks for": (
        f"{TIDY}@pf.register_dataframe_method\ndef neat(df): return df.tidy()",
        "def f(src): return src.neat()",
    ),
    "the name of a registration": (
        GEO.replace("'geo'", "'geo2'"),
        "def f(src): return [src.geo2.area(), src.geo3.area()]",
    ),
    "a decorator that wraps": (
        f"import functools\n{FLAVOR}def old(**names):\n    def decorator(fn):\n        @functools.wraps(fn)\n"
        "        def wrapper(*args): return fn(*args)\n        return wrapper\n    return decorator\n"
        "@pf.register_dataframe_method\n@old(a='b')\ndef tidy(df): return 2",
        "def f(src): return src.tidy()",
    ),
    "a decorator that renames": (
        f"{FLAVOR}def old(fn):\n    def neat(*args): return fn(*args)\n    return neat\n"
        "@pf.register_dataframe_method\n@old\ndef tidy(df): return 2",
        f"{PD}def f(src): return pd.concat([src.neat()])",
    ),
    "a decorator that sets the name": (
        f"import functools\n{FLAVOR}def old(fn):\n    @functools.wraps(fn)\n    def neat(*args): return fn(*args)\n"
        "    neat.__name__ = 'neat'\n    return neat\n@pf.register_dataframe_method\n@old\ndef tidy(df): return 2",
        f"{PD}def f(src): return pd.concat([src.neat()])",
    ),
    "a computed name": (
        GEO.replace("'geo'", "'g' + 'eo'"),
        f"{PD}def f(src): return pd.concat([src.geo.area()])",
    ),
    "a method of the library itself": (
        TIDY.replace("tidy", "merge"),
        f"{PD}def f(src): return pd.concat([src]).join(src)",
    ),
    "an operator": (TIDY.replace("tidy", "__add__"), f"{PD}def f(src): return pd.concat([src]) + 1"),
    "a method of the library itself, asked by name": (
        TIDY.replace("tidy", "merge"),
        "def f(src): return src.merge()",
    ),
    "a computed name of an unknown table": (
        GEO.replace("'geo'", "'g' + 'eo'"),
        "def f(src): return src.geo.area()",
    ),
    "a name that is bound again": (
        TIDY,
        "import pandas as pd\npd = pd.DataFrame()\ndef f(src): return pd.tidy()",
    ),
    "a parameter of the name of a library": (TIDY, "import pandas as pd\ndef f(pd): return pd.tidy()"),
    "a global of the name of a library": (
        TIDY,
        "import pandas as pd\ndef g(x):\n    global pd\n    pd = x\ndef f(src):\n    g(src)\n    return pd.tidy()",
    ),
    "an attribute that is set": (
        f"{PD}def tidy(df): return 2\npd.DataFrame.tidy = tidy",
        "def f(src): return src.tidy()",
    ),
    "setattr": (
        f"{PD}def tidy(df): return 2\nsetattr(pd.DataFrame, 'tidy', tidy)",
        "def f(src): return src.tidy()",
    ),
    "a function that is made": (
        f"{FLAVOR}def make():\n    def tidy(df): return 2\n    return tidy\npf.register_dataframe_method(make())",
        "def f(src): return src.tidy()",
    ),
    "a method of a class that is given": (
        f"{FLAVOR}class Tools:\n    @staticmethod\n    def tidy(df): return 2\n"
        "pf.register_dataframe_method(Tools.tidy)",
        "def f(src): return src.tidy()",
    ),
    "functions in a loop": (
        f"{FLAVOR}def tidy(df): return 2\nfor one in [tidy]:\n    pf.register_dataframe_method(one)",
        "def f(src): return src.tidy()",
    ),
    "a decorator that is an attribute of another": (
        f"{FLAVOR}def old(fn): return fn\nold.er = lambda fn: lambda df: fn(df)\n"
        "@pf.register_dataframe_method\n@old.er\ndef neat(df): return 2",
        "def f(src): return getattr(src, '<lambda>')()",
    ),
    "a method of groups": (
        f"{FLAVOR}@pf.register_dataframe_groupby_method\ndef tidy(df): return 2",
        "def f(src): return src.groupby('a').tidy()",
    ),
}

# Plugins, and functions whose result does not depend on the number 2 in them.
NOT_ASKED = {
    "another method": (TIDY, f"{PD}def f(src): return pd.concat([src.tidier()])"),
    "a docstring": (TIDY, f"{PD}def f(src):\n    'Call `src.tidy()`.'\n    return pd.concat([src])"),
    "a message": (TIDY, f"{PD}def f(src): return pd.concat([src]).assign(a='not tidy yet')"),
    "a list of exports": (TIDY, f"{PD}__all__ = ['tidy']\ndef f(src): return pd.concat([src])"),
    "a variable": (TIDY, f"{PD}def f(src):\n    tidy = pd.concat([src])\n    return tidy"),
    "a function of the library": (TIDY.replace("tidy", "read_any"), f"{PD}def f(src): return pd.read_any"),
    "a method of groups where nothing is grouped": (
        f"{FLAVOR}@pf.register_dataframe_groupby_method\ndef assign(df): return 2",
        f"{PD}def f(src): return pd.concat([src]).assign(a=1)",
    ),
    "a lambda of apply": (TIDY, "def f(src): return src.apply(lambda row: row)"),
    "a function of the module": (TIDY, "def g(x): return x\ndef f(src): return src.apply(g).agg(func=g)"),
    "a function within": (
        TIDY,
        "def f(src):\n    def g(x): return x\n    return src.transform(g, axis=src.ndim)",
    ),
    "a function of a library": (
        TIDY,
        "import numpy as np\ndef f(src): return src.agg({'a': np.mean, 'b': ['sum', len]})",
    ),
    "a partial": (
        TIDY,
        "from functools import partial\ndef g(x, y): return x\n"
        "def f(src):\n    h = partial(g, y=1)\n    return src.apply(h).apply(partial(g, y=2))",
    ),
    "a method of a text": (TIDY, "def f(src, sep): return src.agg(sep.join, axis=1)"),
    "getattr of another name": (TIDY, f"{PD}def f(src: pd.DataFrame): return getattr(src, 'head')()"),
    "getattr of an attribute of its own": (TIDY, "def f(src): return getattr(src, 'columns')"),
}


def _identities(project: Project, names: Iterable[str]) -> dict[str, CodeIdentity]:
    """Identify the function `f` of each module, in a code location with `plugin.py`, which no process loads."""
    imports = [f"from {name} import f as {name}" for name in names]
    sys.modules.pop("definitions", None)  # of another project
    project.write({"definitions.py": "\n".join(["if False:", "    import plugin", *imports])})
    definitions = project.load("definitions")
    held = [getattr(definitions, name) for name in names]
    fix_location(held, held, None)
    return {name: identify(function) for name, function in zip(names, held, strict=True)}


def _before_and_after(
    project: Project, plugin: str, texts: Mapping[str, str]
) -> Iterator[tuple[str, CodeIdentity, CodeIdentity]]:
    """Yield the identities of functions before and after an edit of the number 2 in a plugin."""
    modules = {f"asset_{at}": what for at, what in enumerate(texts)}
    project.write({"plugin.py": plugin, **{f"{name}.py": texts[what] for name, what in modules.items()}})
    one = _identities(project, modules)
    two = _identities(project.replace("plugin.py", "2", "3"), modules)
    return ((what, one[name], two[name]) for name, what in modules.items())


def _by_plugin(rows: Mapping[str, tuple[str, str]]) -> list[tuple[str, dict[str, str]]]:
    plugins = dict.fromkeys(plugin for plugin, _ in rows.values())
    return [(one, {what: text for what, (plugin, text) in rows.items() if plugin == one}) for one in plugins]


@pytest.mark.parametrize(("plugin", "texts"), _by_plugin(ASKED))
def test_an_attribute_that_code_asks_for_counts(
    project: Project, plugin: str, texts: Mapping[str, str]
) -> None:
    """An edit of a registered method moves the identity of a function that asks for it, or for any attribute."""
    found = _before_and_after(project, plugin, texts)
    assert [what for what, one, two in found if one.digest == two.digest] == []


@pytest.mark.parametrize(("plugin", "texts"), _by_plugin(NOT_ASKED))
def test_an_attribute_that_no_code_asks_for_does_not_count(
    project: Project, plugin: str, texts: Mapping[str, str]
) -> None:
    """An edit of a registered method leaves a function alone that does not ask for it."""
    for what, one, two in _before_and_after(project, plugin, texts):
        assert (what, one.digest, one.unresolved, one.outside) == (what, two.digest, (), ())


@pytest.mark.parametrize(
    ("plugin", "asks", "other"),
    [
        (TIDY, "src.tidy()", "src.head()"),
        (GEO, "src.geo.area()", "src.area()"),
        (TIDY, "src.pipe(lambda df: df.tidy())", "src.pipe(len)"),
    ],
    ids=["a method", "an accessor", "within a pipe"],
)
def test_a_registered_method_unpins_only_whoever_asks_for_it(
    project: Project, plugin: str, asks: str, other: str
) -> None:
    """A registered method that reads the environment unpins functions that name it, in the own imports and apart."""
    plugin = f"import os\n{plugin.replace('return 2', 'return os.environ')}"
    imports = "if False:\n    import plugin\n"
    for before in ("", imports):
        write_location(project, plugin, f"{before}def f(src): return {asks}", loads=False)
        assert [read.what for read in identity_in_location(project).outside] == ["os.environ"]
        write_location(project, plugin, f"{before}def f(src): return {other}", loads=False)
        assert not identity_in_location(project).outside


@pytest.mark.parametrize("place", ["the own module", "a module that it imports", "the code location"])
@pytest.mark.parametrize(
    "sets",
    [
        "pd.DataFrame.tidy = tidy",
        "setattr(pd.DataFrame, 'tidy', tidy)",
        "for name in ['tidy']:\n        setattr(pd.Series, name, tidy)",
        "S = pd.Series; S.tidy = tidy",
        "pd.core.groupby.DataFrameGroupBy.tidy = lambda df: tidy(df)",
    ],
)
def test_a_method_that_is_set_counts_with_its_code(project: Project, sets: str, place: str) -> None:
    """The code of a method that a module sets counts where it is asked for, wherever the module stands."""
    plugin = f"import os, pandas as pd\ndef tidy(df): return os.environ\nif False:\n    {sets}\n"
    before = {"the own module": plugin, "a module that it imports": "if False:\n    import plugin\n"}.get(
        place, ""
    )
    other = [] if "for" in sets else [("src.head()", False)]  # a computed name may be any
    for asks, reads in [("src.tidy()", True), ("src.agg('tidy')", True), *other]:
        elsewhere = "" if place == "the own module" else plugin
        write_location(project, elsewhere, f"{before}def f(src): return {asks}", loads=False)
        assert [read.what for read in identity_in_location(project).outside] == ["os.environ"] * reads


def test_another_plugin_that_registers_the_same_name_counts(project: Project) -> None:
    """A plugin that registers over another one moves whoever asks for the name, and so does their order."""
    write_location(project, TIDY, "def f(src): return src.tidy()", loads=False)
    one = identity_in_location(project)
    project.write({"second.py": TIDY.replace("2", "4")})
    project.write({"definitions.py": "if False:\n    import plugin, second\nfrom assets import f\n"})
    two = identity_in_location(project)
    three = identity_in_location(project.replace("definitions.py", "plugin, second", "second, plugin"))
    assert len({one.digest, two.digest, three.digest}) == 3


def test_a_registration_has_the_effects_of_its_arguments(project: Project) -> None:
    """A call that makes an accessor may change a registry of the module, which then counts with it."""
    text = (
        "import os, pandas as pd\nSEEN = []\ndef build():\n    SEEN.append(os.environ['A'])\n    return object\n"
        "if False:\n    pd.api.extensions.register_dataframe_accessor('geo')(build())\ndef f(src): return SEEN\n"
    )
    assert [read.what for read in project.of_source(text).outside] == ["os.environ"]


DISPATCH = (
    "import functools, os\n@functools.singledispatch\ndef kind(x): return 0\n"
    "@kind.register(int)\ndef _(x): return os.environ\n"
)


def test_a_dispatched_function_counts_for_whoever_reaches_the_dispatcher(project: Project) -> None:
    """A function that is registered with a `singledispatch` of its module unpins nobody but its callers."""
    for returned, outside in (("kind(src)", ["os.environ"]), ("src", [])):
        project.write({"assets.py": f"{DISPATCH}def f(src): return {returned}\n"})
        assert [read.what for read in project.identity("assets.f").outside] == outside
