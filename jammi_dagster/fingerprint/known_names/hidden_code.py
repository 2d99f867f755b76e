"""Names that run or import code which no source shows."""

from __future__ import annotations

from jammi_dagster.fingerprint.known_names import ANY

HIDDEN = frozenset(
    [
        "builtins.exec",
        "builtins.eval",
        "builtins.__import__",
        "builtins.globals",
        "importlib.import_module",
        "importlib.__import__",
        "importlib.reload",
        "importlib.util.spec_from_file_location",
        "importlib.util.module_from_spec",
        "importlib.machinery.SourceFileLoader",
        "importlib.metadata.entry_points",
        "pkgutil.resolve_name",
        "runpy.run_module",
        "runpy.run_path",
        "ctypes.CDLL",
        "ctypes.PyDLL",
        "ctypes.cdll",
        "sys.modules",
        "sys._getframe",
        "inspect.currentframe",
        "inspect.stack",
        "inspect.getsource",
        "inspect.getsourcelines",
        "inspect.getmembers",
        "gc.get_objects",
        "marshal.loads",
        "types.FunctionType",
        "types.CodeType",
    ]
) | {f"{ANY}.__subclasses__", f"{ANY}.__code__"}

# Calls that name an attribute in an argument at this position: a constant there shows which one.
NAMED_BY_ARGUMENT = {"builtins.getattr": 1, "operator.attrgetter": 0, "operator.methodcaller": 0}

# Names that `ignore=` takes only with the function that uses them: `pipelines.text.clean:getattr`.
SCOPED = frozenset({"getattr", "operator.attrgetter", "operator.methodcaller"})

# Calls that import the module which their only argument names.
IMPORTERS = frozenset({"builtins.__import__", "importlib.import_module"})
