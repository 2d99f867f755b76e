"""Edits in a project of several modules that move the identity of a function, and edits that do not."""

import os
import shutil
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from importlib.machinery import EXTENSION_SUFFIXES
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest
from fingerprint_kit import Project

from jammi_dagster.errors import InvalidField
from jammi_dagster.fingerprint import identify

REACHED = {
    "function f (pipelines/text.py)",
    "helper helper (pipelines/text.py)",
    "constant SCALE (pipelines/text.py)",
    "import first (pipelines/text.py)",
    "import marks (pipelines/text.py)",
    "helper marked (pipelines/marks.py)",
    "helper marked.wrapper (pipelines/marks.py)",
    "import functools (pipelines/marks.py)",
    "helper apply (pipelines/steps/first.py)",
    "import second (pipelines/steps/first.py)",
    "helper apply (pipelines/steps/second.py)",
    "helper apply (pipelines/steps/third.py)",
}


LAZY = """
    def __getattr__(name):
        if name != "anything":
            raise AttributeError
        from pkg.sub import K
        return K
    """


def test_reaches_what_is_used_at_any_depth(pipelines: Project) -> None:
    """Every first-party definition that the code uses is a component; no other is."""
    identity = pipelines.identity()
    assert set(identity.named) == REACHED
    assert identity.kind == "source"
    assert (identity.outside, identity.unresolved, identity.libraries) == ((), (), {})


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("pipelines/text.py", "SCALE = 2", "SCALE = 2  # twice"),
        ("pipelines/text.py", "SCALE = 2", "SCALE = (\n    2\n)"),
        ("pipelines/text.py", "    return x * SCALE", '    """Scale."""\n    return x * SCALE'),
        ("pipelines/text.py", "from pipelines.steps", '"""The texts."""\n\n\nfrom pipelines.steps'),
        ("pipelines/steps/third.py", "# a circle", "# round and round"),
        ("pipelines/aside.py", "return 1", "return 2"),
        ("pipelines/settings.py", "LIMIT = 3", "LIMIT = 4"),
        ("pipelines/steps/__init__.py", "", "import os\n"),
    ],
)
def test_neutral_edits_do_not_move(pipelines: Project, file: str, old: str, new: str) -> None:
    """Comments, layout, docstrings and modules that are not reached mean nothing."""
    before = pipelines.identity()
    assert pipelines.replace(file, old, new).identity() == before


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        pytest.param("pipelines/text.py", "first.apply(helper(x))", "first.apply(x)", id="body"),
        pytest.param("pipelines/text.py", "x * SCALE", "x * SCALE + 1", id="helper in the module"),
        pytest.param("pipelines/text.py", "SCALE = 2", "SCALE = 3", id="module constant"),
        pytest.param("pipelines/text.py", "SCALE = 2", "SCALE = 2.0", id="type of a constant"),
        pytest.param("pipelines/text.py", "@marks.marked\n", "", id="decorator removed"),
        pytest.param("pipelines/text.py", "def f(x):", "def f(x=0):", id="default"),
        pytest.param("pipelines/marks.py", "return fn(*args)", "return -fn(*args)", id="decorator changed"),
        pytest.param("pipelines/steps/third.py", "x + 1", "x + 2", id="helper at depth three"),
        pytest.param("pipelines/steps/__init__.py", "", "print()\n", id="package on the way"),
        pytest.param(
            "pipelines/settings.py", "LIMIT = 3", "LIMIT = 3\nprint()", id="imported by the __init__"
        ),
    ],
)
def test_edits_that_may_change_the_result_move(pipelines: Project, file: str, old: str, new: str) -> None:
    """An edit that may change the result changes the digest, and only components of the edited file."""
    before = pipelines.identity()
    after = pipelines.replace(file, old, new).identity()
    assert after.digest != before.digest
    changed = dict(set(before.named.items()) ^ set(after.named.items()))
    assert any(f"({file})" in name for name in changed)
    both = [name for name in changed if name in before.named and name in after.named]
    assert all(f"({file})" in name for name in both)


def test_functions_of_one_module_differ(project: Project) -> None:
    """Which function it is counts, though two be spelled alike."""
    module = project.write({"alone.py": "f = lambda x: x\ng = lambda x: x\n"}).load("alone")
    assert identify(module.f).digest != identify(module.g).digest


@pytest.mark.parametrize("text", ["f = lambda: {}; K = 1", "K = 1; f = lambda: {}", "def f(): return {}"])
def test_statements_on_one_line_are_told_apart(project: Project, text: str) -> None:
    """A function is the statement that it stands in."""
    assert project.of_source(text.format(1)).digest != project.of_source(text.format(2)).digest


def test_functions_of_one_name_differ(project: Project) -> None:
    """Two functions with one qualified name have their own identities."""
    project.write(
        {
            "alone.py": """
            def make(flag):
                if flag:
                    def f(x): return x
                else:
                    def f(x): return -x
                return f
            """
        }
    )
    make = project.load("alone").make
    assert identify(make(True)).digest != identify(make(False)).digest


def test_swapped_modules_differ(project: Project) -> None:
    """A component is bound to its name: two modules that trade places move the digest."""
    text = "import one, two\ndef f(): return one.K - two.K\n"
    before = project.write({"one.py": "K = 1\n", "two.py": "K = 2\n"}).of_source(text)
    after = project.write({"one.py": "K = 2\n", "two.py": "K = 1\n"}).of_source(text)
    assert before.digest != after.digest
    assert sorted(before.named.values()) == sorted(after.named.values())


def test_modules_of_one_name_do_not_merge(project: Project) -> None:
    """Files that would be called alike (folders without `__init__`) keep names of their own."""
    text = "import a.util, b.util\ndef f(): return a.util.K - b.util.K\n"
    before = project.write({"a/util.py": "K = 1\n", "b/util.py": "K = 2\n"}).of_source(text)
    after = project.write({"a/util.py": "K = 2\n", "b/util.py": "K = 1\n"}).of_source(text)
    assert set(before.named) >= {"constant K (a/util.py)", "constant K (b/util.py)"}
    assert before.digest != after.digest


def test_docstrings_count_where_code_reads_them(pipelines: Project) -> None:
    """A docstring is kept as soon as reached code may read one."""
    pipelines.replace("pipelines/text.py", "SCALE = 2", "SCALE = len(first.apply.__doc__ or '')")
    pipelines.replace("pipelines/steps/first.py", "return second", '"""One."""\n    return second')
    before = pipelines.identity()
    assert pipelines.replace("pipelines/steps/first.py", "One.", "Two.").identity().digest != before.digest


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(b"\xef\xbb\xbfdef f():\n    return 'caf\xc3\xa9'\n", id="BOM"),
        pytest.param(b"def f():\r\n    return 'caf\xc3\xa9'\r\n", id="CRLF"),
        pytest.param(b"# -*- coding: latin-1 -*-\ndef f():\n    return 'caf\xe9'\n", id="encoding"),
        pytest.param(b"def f():\n\treturn u'caf\\xe9'", id="escapes, tabs, no last newline"),
    ],
)
def test_the_bytes_of_a_file_do_not_matter(project: Project, text: bytes) -> None:
    """Encoding, byte order mark and line endings of a source file mean nothing."""
    plain = project.of_source("def f():\n    return 'café'\n")
    assert project.write({"alone.py": text}).identity("alone.f") == plain


def test_the_folder_does_not_matter(pipelines: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """A checkout elsewhere gives the same identity, and no absolute path is in it."""
    before = pipelines.identity()
    pipelines.forget()
    elsewhere = pipelines.root / "some" / "where else"
    shutil.copytree(pipelines.root / "pipelines", elsewhere / "pipelines")
    monkeypatch.syspath_prepend(elsewhere)
    moved = Project(elsewhere)
    assert moved.identity() == before
    moved.forget()
    assert str(pipelines.root) not in repr(before)


def test_imports_need_not_have_happened(pipelines: Project) -> None:
    """Earlier imports make no difference, and nothing is imported for an identity."""
    function = pipelines.load("pipelines.text").f
    before = identify(function)
    for name in [name for name in sys.modules if name.startswith("pipelines.steps")]:
        del sys.modules[name]
    assert identify(function) == before
    assert "pipelines.steps.third" not in sys.modules


@pytest.mark.parametrize(
    "text",
    [
        "import pkg.sub\ndef f(): return pkg.sub.K",
        "import pkg.sub as other\ndef f(): return other.K",
        "from pkg import sub\ndef f(): return sub.K",
        "from pkg import sub as other\ndef f(): return other.K",
        "from pkg.sub import *\ndef f(): return K",
        "from pkg.sub import K\ndef f(): return K",
        "from pkg.sub import K as L\ndef f(): return [L for _ in 'a']",
        "from pkg.again import K\ndef f(): return K",
        "from pkg.again import sub\ndef f(): return sub.K",
        "from pkg.star import K\ndef f(): return K",
        "from pkg.lazy import anything\ndef f(): return anything",
        "import importlib; importlib.import_module('pkg.loud')\ndef f(): pass",
        "__import__('pkg.loud')\ndef f(): pass",
        "import pkg.loud\ndef f(): pass",
        "import pkg\ndef f(): return pkg.sub.K",
        "import pkg.sub\ndef f(): return vars(pkg.sub)",
        "import pkg.sub\ndef f(): return getattr(pkg.sub, 'K')",
        "import pkg.sub\ndef f(): return pkg.sub.__dict__['K']",
        "import pkg.sub\nt = pkg.sub\ndef f(): return t.K",
        "class A:\n    def g(self):\n        import pkg.sub\n        return pkg.sub.K\ndef f(): return A()",
        "def f():\n    from pkg.sub import K\n    return lambda: K",
        "try:\n    import no_such_module as m\nexcept ImportError:\n    import pkg.sub as m\ndef f(): return m.K",
        "if len('a') > 2:\n    K = 3\nelse:\n    from pkg.sub import K\ndef f(): return K",
    ],
)
def test_every_way_to_a_name_is_followed(project: Project, text: str) -> None:
    """A static use is followed whatever the form of the import, through names that modules hand on."""
    project.write(
        {"pkg/__init__.py": "", "pkg/sub.py": "K = 1\n", "pkg/loud.py": "print(1)\n", "pkg/lazy.py": LAZY}
    )
    project.write(
        {"pkg/again.py": "from .sub import K\nfrom . import sub\n", "pkg/star.py": "from .sub import *\n"}
    )
    before = project.of_source(text)
    project.write({"pkg/sub.py": "K = 2\n", "pkg/loud.py": "print(2)\n"})
    assert project.of_source(text).digest != before.digest
    assert before.unresolved == ()


@pytest.mark.parametrize(
    "text",
    [
        "import pkg.sub\ndef f(): pass",
        "import pkg.sub\ndef g(): return pkg.sub.K\ndef f(): pass",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import pkg.sub\ndef f(x: 'pkg.sub.K'): pass",
        "from pkg.sub import *\ndef f(K): return K",
        "from pkg.sub import Other\ndef f(): return Other",
        "from pkg import sub\ndef f(x: sub.K) -> sub.K:\n    y: sub.K = 1\n    return y",
    ],
)
def test_what_is_imported_and_not_used_is_not_followed(project: Project, text: str) -> None:
    """A module that is merely loaded counts by its side effects only."""
    project.write({"pkg/__init__.py": "", "pkg/sub.py": "K = 1\nOther = 5\n"})
    before = project.of_source(text)
    assert project.write({"pkg/sub.py": "K = 2\nOther = 5\n"}).of_source(text) == before


def test_a_star_import_brings_the_modules_that_all_names(project: Project) -> None:
    """`from pkg import *` imports the submodules that `__all__` lists."""
    project.write(
        {"pkg/__init__.py": "__all__ = ['sub']\n", "pkg/sub.py": "print()\n", "pkg/other.py": "print()\n"}
    )
    assert set(project.of_source("from pkg import *\ndef f(): pass\n").named) == {
        "function f (alone.py)",
        "order of statements (alone.py)",
        "module-level code (alone.py)",
        "constant __all__ (pkg/__init__.py)",
        "module-level code (pkg/sub.py)",
        "order of statements (pkg/sub.py)",
    }


def test_a_missing_module_is_a_component(project: Project) -> None:
    """An optional import that finds nothing is recorded: to install it later is a change."""
    text = "try:\n    import extra_speed\nexcept ImportError:\n    extra_speed = None\ndef f(): pass\n"
    before = project.of_source(text)
    assert before.named["module extra_speed"] == "missing"
    assert project.write({"extra_speed.py": ""}).of_source(text).digest != before.digest


def test_a_namespace_package_is_followed(project: Project) -> None:
    """Folders without `__init__` are packages too, imported or not."""
    project.write({"space/inner/deep.py": "K = 1\n"})
    text = "def f():\n    import space.inner.deep\n    return space.inner.deep.K\n"
    before = project.of_source(text)
    assert set(before.named) == {"function f (alone.py)", "constant K (deep.py)"}
    assert project.write({"space/inner/deep.py": "K = 2\n"}).of_source(text).digest != before.digest


def test_a_module_that_hides_one_of_the_standard_library_is_first_party(project: Project) -> None:
    """Whose a module is goes by where it lies, not by its name."""
    project.write({"colorsys.py": "K = 1\n"})
    text = "import colorsys\ndef f(): return colorsys.K\n"
    assert "constant K (colorsys.py)" in project.of_source(text).named


def test_an_extension_module_counts_by_its_bytes(project: Project) -> None:
    """A compiled first-party module counts by the bytes of its file."""
    name = f"native{EXTENSION_SUFFIXES[0]}"
    text = "def f():\n    import native\n"
    before = project.write({name: b"\x7fELF 1"}).of_source(text)
    after = project.write({name: b"\x7fELF 2"}).of_source(text)
    assert before.named[f"module ({name})"] != after.named[f"module ({name})"]
    assert before.unresolved == ()


def test_a_file_that_does_not_parse_is_unresolved(project: Project) -> None:
    """A reached module that is no Python says so, and does not raise."""
    project.write({"broken.py": "def (:\n"})
    (reason,) = project.of_source("def f():\n    import broken\n").unresolved
    assert reason == "broken.py cannot be read as Python source (SyntaxError): give code_version="


def test_code_that_warns_when_parsed_is_read(project: Project) -> None:
    """Warnings of the parser are the import's; under `-W error` too the source is read."""
    project.write({"loud.py": r"K = '\d'" + "\n"})
    identity = project.of_source("def f():\n    import loud\n    return loud.K\n")
    assert (identity.unresolved, "constant K (loud.py)" in identity.named) == ((), True)


@pytest.mark.parametrize(
    "statement",
    [
        "exec('x = 1')",
        "eval('1')",
        "__import__(name)",
        "import importlib; importlib.import_module(name)",
        "from importlib import import_module as load; load('.x', 'y')",
        "import runpy; runpy.run_path('x.py')",
        "import builtins; builtins.eval('1')",
        "list(map(eval, ['1']))",
        "getattr(name, name + '_')",
        "getattr(*name)",
        "list(map(getattr, name))",
        "globals()[name]()",
        "vars()[name]",
        "import sys; sys.modules[name].g()",
        "import operator; operator.attrgetter(name)(name)",
        "dict.__subclasses__()",
    ],
)
def test_code_that_cannot_be_seen_is_unresolved(project: Project, statement: str) -> None:
    """Reached code that runs or imports hidden code is unresolved."""
    (reason,) = project.of_source(f"def f(name):\n    {statement}\n").unresolved
    assert reason.startswith("alone.py:2 uses ")
    assert "depends_on=" in reason
    assert "ignore=[" in reason
    assert reason.endswith("give code_version=")


def test_methods_of_such_names_are_harmless(project: Project) -> None:
    """`frame.eval(…)` and `re.compile(…)` are not the built-in functions."""
    text = "import re\ndef f(frame):\n    return frame.eval('a'), re.compile('b'), frame.exec\n"
    assert project.of_source(text).unresolved == ()


def test_a_code_version_is_taken_as_given(pipelines: Project) -> None:
    """With a code version nothing is read: it is the user's word, and its own kind of digest."""
    function = pipelines.load("pipelines.text").f
    one, two = identify(function, code_version="1"), identify(function, code_version="2")
    assert (one.kind, one.named, one.libraries) == ("code_version", {"code_version": "1"}, {})
    assert (one.outside, one.unresolved) == ((), ())
    assert len({one.digest, two.digest, identify(function).digest}) == 3
    assert identify(len, code_version="1") == one


@pytest.mark.parametrize(("fn", "version"), [(3, None), (None, None), (len, 3)])
def test_misuse_is_an_error(fn: object, version: object) -> None:
    """Objects that are no function and code versions that are no string are refused."""
    with pytest.raises(InvalidField):
        identify(fn, code_version=version)  # type: ignore[arg-type]


def test_paths_are_relative_to_the_source_root(pipelines: Project) -> None:
    """A place is told from the folder above the topmost package, with forward slashes."""
    pipelines.replace("pipelines/steps/third.py", "return x + 1", "import time; return time.time()")
    (read,) = pipelines.identity().outside
    assert (read.what, read.where) == ("time.time", "pipelines/steps/third.py:5")


def test_a_second_look_is_cheap(pipelines: Project) -> None:
    """A file is read once; a second look at eight modules takes a few milliseconds."""
    function = pipelines.load("pipelines.text").f
    identify(function)
    started = time.perf_counter()
    for _ in range(10):
        identify(function)
    assert (time.perf_counter() - started) / 10 < 0.02


def test_an_edit_within_one_tick_of_the_clock_is_seen(pipelines: Project, tmp_path: Path) -> None:
    """A file of the same size and times is read again while it is too young for its times to prove anything."""
    target = tmp_path / "pipelines/steps/third.py"
    before = pipelines.identity()
    stamp = target.stat()
    pipelines.replace("pipelines/steps/third.py", "x + 1", "x + 7")
    os.utime(target, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    assert pipelines.identity().digest != before.digest


def test_the_identity_at_decoration_is_the_one_of_later(project: Project) -> None:
    """While its module is still being imported, a function has the identity it has once all is loaded."""
    project.write({"later.py": "K = 1\n"})
    text = """
        from jammi_dagster.fingerprint import identify
        def mark(fn):
            fn.early = identify(fn)
            return fn
        @mark
        def f(): return helper() + later.K
        def helper(): return SCALE
        SCALE = 2
        import later
        """
    module = project.write({"alone.py": text}).load("alone")
    assert identify(module.f) == module.f.early
    assert "constant K (later.py)" in module.f.early.named


def test_a_module_that_is_loaded_by_its_path_is_the_same(pipelines: Project) -> None:
    """`dagster dev -f` loads a file under a name of its own: the identity is that of an import."""
    pipelines.write(
        {"pipelines/defs.py": "from pipelines.steps import first\ndef f(): return first.apply(1)\n"}
    )
    imported = pipelines.identity("pipelines.defs.f")
    pipelines.forget()
    spec = spec_from_file_location("defs", pipelines.root / "pipelines/defs.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    assert identify(module.f) == imported


def test_threads_agree(pipelines: Project) -> None:
    """Identities that are taken at once are the same."""
    function = pipelines.load("pipelines.text").f
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(identify, [function] * 32))
    assert all(identity == found[0] for identity in found)
    assert found[0].unresolved == ()


def test_the_digest_is_the_same_on_every_python(pipelines: Project) -> None:
    """The digest of the whole project is written down here: no version of Python or of this package moves it."""
    assert pipelines.identity().digest == "1f91b097a87922282cb5f72d3bf61e03d6420d28edb2aac7f5a2787b99e65198"
