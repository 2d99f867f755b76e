"""State that only other modules of the code location set: it counts for the functions that reach it, and only there."""

import importlib

import pytest
from fingerprint_kit import Project, identity_in_location, write_location

REGISTRY = """
    class Registry:
        def __init__(self): self.items = {}
        def register(self, name):
            def decorate(fn):
                self.items[name] = fn
                return fn
            return decorate
        def add(self, fn):
            self.items[fn.__name__] = fn
    registry = Registry()
    """
HANDLER = "from reg import registry\ndef handler(v): return v + 1\n"
REG = "from reg import registry\n"

# A registry, the plugin that fills it, and an expression that depends on `v + 1` in the plugin.
FIRST_PARTY = {
    "a method that registers": (
        REGISTRY,
        f"{REG}@registry.register('x')\ndef handler(v): return v + 1",
        "registry.items['x'](1)",
    ),
    "a method without a decorator": (REGISTRY, f"{HANDLER}registry.add(handler)", "registry.items"),
    "an attribute of an object": (REGISTRY, f"{HANDLER}registry.items['x'] = handler", "registry.items"),
    "a new attribute": (REGISTRY, f"{HANDLER}registry.hook = handler", "registry.hook(1)"),
    "setattr": (REGISTRY, f"{HANDLER}setattr(registry, 'hook', handler)", "registry.hook(1)"),
    "a lambda": (REGISTRY, f"{REG}registry.items['x'] = lambda v: v + 1", "registry.items"),
    "a partial": (
        REGISTRY,
        f"import functools\n{HANDLER}registry.items['x'] = functools.partial(handler)",
        "registry.items",
    ),
    "an object in it": (
        REGISTRY,
        f"{REG}class H:\n    def go(self, v): return v + 1\nregistry.items['x'] = H()",
        "registry.items['x'].go(1)",
    ),
    "a helper of the plugin": (
        REGISTRY,
        f"{REG}def help(v): return v + 1\ndef h(v): return help(v)\nregistry.add(h)",
        "registry.items['h'](1)",
    ),
    "a function that fills it": (
        REGISTRY,
        f"{HANDLER}def fill():\n    registry.add(handler)\nfill()",
        "registry.items",
    ),
    "a defaultdict": (
        "import collections\nregistry = collections.defaultdict(list)",
        f"{HANDLER}registry['x'].append(handler)",
        "registry.get('x')",
    ),
    "an OrderedDict": (
        "from collections import OrderedDict\nregistry = OrderedDict()",
        f"{HANDLER}registry['x'] = handler",
        "registry['x']",
    ),
    "a deque": (
        "import collections\nregistry = collections.deque()",
        f"{HANDLER}registry.append(handler)",
        "registry[0]",
    ),
    "a ChainMap": (
        "import collections\nregistry = collections.ChainMap({})",
        f"{HANDLER}registry['x'] = handler",
        "registry['x']",
    ),
    "a namespace": (
        "import types\nregistry = types.SimpleNamespace()",
        f"{HANDLER}registry.x = handler",
        "registry.x(1)",
    ),
    "a subclass of dict": (
        "class R(dict): pass\nregistry = R()",
        f"{HANDLER}registry['x'] = handler",
        "registry['x'](1)",
    ),
    "a UserDict": (
        "import collections\nclass R(collections.UserDict): pass\nregistry = R()",
        f"{HANDLER}registry['x'] = handler",
        "registry['x'](1)",
    ),
    "singledispatch": (
        "import functools\n@functools.singledispatch\ndef registry(x): return 0",
        "from reg import registry\n@registry.register(int)\ndef _(v): return v + 1",
        "registry(1)",
    ),
    "singledispatch by annotation": (
        "import functools\n@functools.singledispatch\ndef registry(x): return 0",
        "from reg import registry\n@registry.register\ndef _(v: int): return v + 1",
        "registry(1)",
    ),
    "singledispatchmethod": (
        "import functools\nclass registry:\n    @functools.singledispatchmethod\n    def of(self, x): return 0",
        "from reg import registry\n@registry.of.register(int)\ndef _(self, v): return v + 1",
        "registry().of(1)",
    ),
    "a hook of subclasses": (
        "class registry:\n    kinds = {}\n    def __init_subclass__(cls): cls.kinds[cls.__name__] = cls",
        f"{REG}class X(registry):\n    def go(self, v): return v + 1",
        "registry.kinds['X']().go(1)",
    ),
    "a hook that fills a list of the module": (
        "KINDS = []\nclass registry:\n    def __init_subclass__(cls): KINDS.append(cls)\n"
        "def make(): return KINDS[0]()",
        f"{REG}class X(registry):\n    def go(self, v): return v + 1",
        "__import__('reg').make().go(1) if False else make().go(1)",
    ),
    "a metaclass": (
        "class Meta(type):\n    kinds = {}\n    def __new__(m, n, b, ns):\n"
        "        c = super().__new__(m, n, b, ns)\n        m.kinds[n] = c\n        return c\n"
        "class registry(metaclass=Meta): pass",
        f"{REG}class X(registry):\n    def go(self, v): return v + 1",
        "registry.kinds['X']().go(1)",
    ),
    "an attribute of a class": (
        "class registry:\n    hook = None",
        f"{HANDLER}registry.hook = staticmethod(handler)",
        "registry.hook(1)",
    ),
    "a patched method": (
        "class registry:\n    def go(self, v): return v",
        "from reg import registry\ndef go(self, v): return v + 1\nregistry.go = go",
        "registry().go(1)",
    ),
    "a patched property": (
        "class registry:\n    @property\n    def go(self): return 1",
        "from reg import registry\nregistry.go = property(lambda self, v=1: v + 1)",
        "registry().go",
    ),
    "a patched operator": (
        "class registry:\n    pass",
        "from reg import registry\ndef add(self, v): return v + 1\nregistry.__add__ = add",
        "registry() + 1",
    ),
    "settings that are configured": (
        "class Settings:\n    def configure(self, **options): self.__dict__.update(options)\n"
        "registry = Settings()",
        f"{HANDLER}registry.configure(hook=handler)",
        "registry.hook(1)",
    ),
    "a signal of a library": (
        "import blinker\nregistry = blinker.Signal()",
        f"{HANDLER}registry.connect(handler)",
        "registry.send(1)",
    ),
    "a manager of plugins of a library": (
        "import pluggy\nregistry = pluggy.PluginManager('x')",
        f"{HANDLER}class P:\n    def go(self, v): return v + 1\nregistry.register(P())",
        "registry.hook.go(v=1)",
    ),
    "the other half of a closure": (
        "def pair():\n    held = []\n    return held.append, lambda: held[0]\nput, registry = pair()",
        "from reg import put\ndef handler(v): return v + 1\nput(handler)",
        "registry()(1)",
    ),
    "a module among the loaded ones": (
        "def pair(): return {}\nregistry = pair()\nnumber = 0\ndef make():\n    global number\n    return number",
        "import sys\nimport reg\ndef handler(v): return v + 1\nsys.modules['reg'].number = handler(1)",
        "make()",
    ),
    "an abstract base class": (
        "import abc\nclass registry(abc.ABC): pass",
        f"{REG}def handler(v): return v + 1\nregistry.register(type('X', (), {{'go': handler}}))",
        "isinstance(1, registry)",
    ),
    "an abstract class by its metaclass": (
        "import abc\nclass registry(metaclass=abc.ABCMeta): pass",
        f"{REG}@registry.register\nclass X:\n    def go(self, v): return v + 1",
        "isinstance(1, registry)",
    ),
}

# A plugin that extends a library, and a function that depends on its number 2.
LIBRARIES = {
    "an accessor of pandas": (
        "import pandas as pd\n@pd.api.extensions.register_dataframe_accessor('geo')\nclass G:\n"
        "    def __init__(self, o): pass\n    def area(self): return 2",
        "import pandas as pd\ndef f(): return pd.DataFrame().geo.area()",
    ),
    "an accessor of pandas, by annotation alone": (
        "import pandas as pd\n@pd.api.extensions.register_series_accessor('geo')\nclass G:\n"
        "    def __init__(self, o): pass\n    def area(self): return 2",
        "import pandas as pd\ndef f(src: 'pd.DataFrame'): return src['x'].geo.area()",
    ),
    "a namespace of polars": (
        "import polars as pl\n@pl.api.register_expr_namespace('geo')\nclass G:\n"
        "    def __init__(self, o): pass\n    def area(self): return 2",
        "import polars as pl\ndef f(): return pl.col('a').geo.area()",
    ),
    "a function of pyarrow": (
        "import pyarrow as pa, pyarrow.compute as pc\ndef go(ctx, x): return pc.add(x, 2)\n"
        "pc.register_scalar_function(go, 'go', {'summary': '', 'description': ''}, {'x': pa.int64()}, pa.int64())",
        "import pyarrow.compute as pc\ndef f(): return pc.call_function('go', [[1]])",
    ),
    "an option of pandas": (
        "import pandas as pd\npd.set_option('mode.copy_on_write', 2 > 1)",
        "import pandas as pd\ndef f(): return pd.DataFrame()",
    ),
    "an option that is assigned": (
        "import pandas as pd\npd.options.mode.sim_interactive = 2 > 1",
        "import pandas as pd\ndef f(): return pd.DataFrame()",
    ),
    "a method of a library that is replaced": (
        "import fractions\ndef twice(self): return 2\nfractions.Fraction.twice = twice",
        "import fractions\ndef f(): return fractions.Fraction(1).twice()",
    ),
    "a method of the standard library": (
        "import pathlib\nif 2 > 4: pathlib.PurePath.twice = 2",
        "import pathlib\ndef f(): return pathlib.PurePath().twice",
    ),
    "a function of a module that is quiet": (
        "import shutil\nif 2 > 4: shutil.which = lambda name: 2",
        "import shutil\ndef f(): return shutil.get_archive_formats()",
    ),
    "an attribute by its name": (
        "import fractions\nif 2 > 4: setattr(fractions, 'twice', 2)",
        "import fractions\ndef f(): return fractions.twice",
    ),
    "an attribute by a computed name": (
        "import numpy as np\nfor name in ('a', 'b')[2:]: setattr(np, name, 1)",
        "import numpy as np\ndef f(): return np.a",
    ),
    "an option within a function": (
        "import polars as pl\ndef setup():\n    pl.Config.set_streaming_chunk_size(2)\nsetup()",
        "import polars as pl\ndef f(): return pl.DataFrame()",
    ),
    "the decimal context": ("import decimal\ndecimal.getcontext().prec = 2", "def f(): return 1"),
    "the context that is set": (
        "import decimal\ndecimal.setcontext(decimal.Context(prec=2))",
        "def f(): return 1",
    ),
    "a limit of the interpreter": ("import sys\nsys.setrecursionlimit(1000 + 2)", "def f(): return 1"),
    "the locale": ("import locale\nlocale.setlocale(2, 'C')", "def f(): return 1"),
    "a seed": ("import random\nrandom.seed(2)", "def f(): return 1"),
    "a seed of numpy": ("import numpy as np\nnp.random.seed(2)", "def f(): return 1"),
    "a class that a library notes": (
        "import yaml\nclass Tag(yaml.YAMLObject):\n    yaml_tag = '!two'\n    yaml_loader = yaml.SafeLoader\n"
        "    @classmethod\n    def from_yaml(cls, loader, node): return 2",
        "import yaml\ndef f(): return yaml.safe_load('!two a')",
    ),
    "a class that a library notes, by a base of its own": (
        "from sqlglot.dialects import Postgres\nclass Base(Postgres): pass\nclass Mine(Base):\n"
        "    class Generator(Postgres.Generator):\n        TWO = 2",
        "import sqlglot\ndef f(): return sqlglot.transpile('select 1', write='mine')",
    ),
    "a decorator by which a library compiles a class": (
        "from sqlalchemy.ext.compiler import compiles\nfrom sqlalchemy.sql.functions import sum\n"
        "@compiles(sum)\ndef go(element, compiler, **words): return '2'",
        "import sqlalchemy as sa\ndef f(): return str(sa.func.sum(1))",
    ),
    "a form of archives": (
        "import shutil\nshutil.register_archive_format('x2', lambda *given: None)",
        "import shutil\ndef f(): return shutil.get_archive_formats()",
    ),
    "how objects are copied": (
        "import copyreg, fractions\ncopyreg.pickle(fractions.Fraction, lambda x: (int, (2,)))",
        "def f(): return 1",
    ),
    "a handler of errors of numpy": (
        "import numpy as np\nnp.seterrcall(lambda *given: 2)",
        "def f(): return 1",
    ),
    "the errors of numpy": ("import numpy as np\nnp.seterr(all='ignore' if 2 else '')", "def f(): return 1"),
}

# Plugins whose number 2 no result of `f` depends on.
HARMLESS = {
    "a registry that it does not reach": (
        "REGISTRY = {}\ndef h(): return 2\nREGISTRY['x'] = h",
        "def f(): return 1",
    ),
    "a library that it does not use": (
        "import pandas as pd\npd.set_option('mode.sim_interactive', 2 > 1)",
        "def f(): return 1",
    ),
    "logging": ("import logging\nlogging.basicConfig(level=2)", "import logging\ndef f(): return 1"),
    "warnings": ("import warnings\nwarnings.simplefilter('ignore', lineno=2)", "def f(): return 1"),
    "sys.path": ("import sys\nsys.path.append('/nowhere/2')", "def f(): return 1"),
    "the environment": ("import os\nos.environ['JAMMI_TEST_X'] = '2'", "def f(): return 1"),
    "atexit": ("import atexit\natexit.register(lambda: 2)", "def f(): return 1"),
    "a display option": (
        "import pandas as pd\npd.set_option('display.max_rows', 200)",
        "import pandas as pd\ndef f(): return pd.DataFrame()",
    ),
    "display options": (
        "import pandas as pd\npd.options.display.max_rows = 200",
        "import pandas as pd\ndef f(): return pd.DataFrame()",
    ),
    "the printing of numpy": (
        "import numpy as np\nnp.set_printoptions(precision=2)",
        "import numpy as np\ndef f(): return np.zeros(1)",
    ),
    "a constant that numpy computes": (
        "import numpy as np\nX = np.append([1], 2)\nnp.add(1, 2)",
        "import numpy as np\ndef f(): return np.zeros(1)",
    ),
    "a helper that runs elsewhere": ("def other(): return 2", "def f(): return 1"),
    "the main block": ("import random\nif __name__ == '__main__':\n    random.seed(2)", "def f(): return 1"),
}


@pytest.mark.parametrize(("reg", "plugin", "use"), FIRST_PARTY.values(), ids=FIRST_PARTY)
def test_state_that_a_plugin_fills_counts_for_whoever_reaches_it(
    project: Project, reg: str, plugin: str, use: str
) -> None:
    """An edit of a plugin moves the identity of a function that reaches the registry, and leaves it resolved."""
    names = "registry, make" if "make()" in use else "registry"
    write_location(project, plugin, f"from reg import {names}\ndef f(): return {use}\n", reg)
    one = identity_in_location(project)
    two = identity_in_location(project.replace("plugin.py", "v + 1", "v + 2"))
    assert one.digest != two.digest or (one.unresolved and two.unresolved)


@pytest.mark.parametrize(("plugin", "assets"), LIBRARIES.values(), ids=LIBRARIES)
def test_state_of_a_library_or_the_process_counts(project: Project, plugin: str, assets: str) -> None:
    """A plugin that extends a library counts for functions that use the library, process state for all."""
    write_location(project, plugin, assets, loads=False)
    one = identity_in_location(project)
    two = identity_in_location(project.replace("plugin.py", "2", "3"))
    assert one.digest != two.digest
    assert (one.unresolved, one.outside) == ((), ())


@pytest.mark.parametrize(("plugin", "assets"), HARMLESS.values(), ids=HARMLESS)
def test_state_that_no_result_depends_on_does_not_count(project: Project, plugin: str, assets: str) -> None:
    """An edit of a plugin that changes nothing the function reaches leaves its identity as it is."""
    write_location(project, plugin, assets, loads=False)
    one = identity_in_location(project)
    two = identity_in_location(project.replace("plugin.py", "2", "3"))
    assert one.digest == two.digest
    assert (one.unresolved, one.outside) == ((), ())


def test_modules_that_only_happen_to_be_loaded_do_not_count(project: Project) -> None:
    """A plugin that the location does not import leaves the identity alone, loaded or not: workers and tests differ."""
    project.write({"other.py": "import decimal\ndecimal.getcontext().prec = 28\n"})
    write_location(project, "", "def f(): return 1\n")
    one = identity_in_location(project)
    importlib.import_module("other")
    assert identity_in_location(project).digest == one.digest


def test_before_the_location_is_fixed_only_its_own_module_counts(project: Project) -> None:
    """Without `finalize` the identity covers the modules that the function's module imports."""
    write_location(project, "import random\nrandom.seed(2)", "def f(): return 1\n")
    one = project.identity("assets.f")
    assert not [component for component in one.components if component.where == "plugin.py"]


def test_plugins_that_are_loaded_by_name_count(project: Project) -> None:
    """All modules of a package count where the location imports them by a loop over the package."""
    loader = "import importlib, pkgutil\nfor _, name, _ in pkgutil.iter_modules(__path__):\n"
    loader += "    importlib.import_module(f'{__name__}.{name}')\n"
    files = {"plug/__init__.py": loader, "plug/one.py": "import random\nrandom.seed(2)\n"}
    files["definitions.py"] = "import plug\nfrom assets import f\n"
    project.write({**files, "assets.py": "def f(): return 1\n"})
    one = identity_in_location(project)
    assert one.digest != identity_in_location(project.replace("plug/one.py", "2", "3")).digest


def test_the_order_of_plugins_counts(project: Project) -> None:
    """Of two plugins that fill one registry, the order in which the location imports them counts."""
    plugin = "from reg import registry\ndef h(): return 1\nregistry.add(h)\n"
    write_location(project, plugin, "from reg import registry\ndef f(): return registry.items\n", REGISTRY)
    project.write({"second.py": plugin, "definitions.py": "import plugin, second\nfrom assets import f\n"})
    one = identity_in_location(project)
    two = identity_in_location(project.replace("definitions.py", "plugin, second", "second, plugin"))
    assert one.digest != two.digest


def test_a_read_of_a_plugin_counts_with_its_statement(project: Project) -> None:
    """What a plugin reads to fill a registry unpins the functions that reach the registry, and no others."""
    plugin = "import os\nfrom reg import registry\nregistry.items['x'] = os.environ.get('X')\n"
    write_location(project, plugin, "from reg import registry\ndef f(): return registry.items\n", REGISTRY)
    assert [read.what for read in identity_in_location(project).outside] == ["os.environ"]
    write_location(project, plugin, "def f(): return 1\n", REGISTRY)
    assert not identity_in_location(project).outside
