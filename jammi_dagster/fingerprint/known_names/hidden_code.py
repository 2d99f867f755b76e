"""Names that run or import code which no source shows."""

from __future__ import annotations

from jammi_dagster.fingerprint.known_names import ANY

# Attributes that lead to code, or to the names of modules; code knows line numbers, and those are not hashed.
HIDDEN_ATTRIBUTES = frozenset({"__code__", "__globals__", "f_globals", "f_locals", "tb_lineno"})

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
        "builtins.__builtins__",
        "catalogue.create",
        "gin.parse_config",
        "gin.parse_config_file",
        "gin.parse_config_files_and_bindings",
        "imp.load_module",
        "imp.load_source",
        "pkg_resources.EntryPoint",
        "pkg_resources.iter_entry_points",
        "pkg_resources.load_entry_point",
        "pydantic.ImportString",
        "stevedore",
        "zipimport.zipimporter",
        "pkgutil.resolve_name",
        "runpy.run_module",
        "runpy.run_path",
        "ctypes.CDLL",
        "ctypes.PyDLL",
        "ctypes.cdll",
        "sys.modules",
        "sys._getframe",
        "inspect.currentframe",
        "inspect.getmodule",
        "inspect.stack",
        "inspect.findsource",
        "inspect.getcomments",
        "inspect.getsource",
        "inspect.getsourcelines",
        "inspect.getmembers",
        "gc.get_objects",
        "marshal.loads",
        "types.FunctionType",
        "types.CodeType",
        # whatever they decode may hold objects of any class
        "cloudpickle.load",
        "cloudpickle.loads",
        "dill.load",
        "dill.loads",
        "joblib.load",
        "jsonpickle.decode",
        "pandas.read_pickle",
        "pickle.Unpickler",
        "pickle.load",
        "pickle.loads",
        "shelve.DbfilenameShelf",
        "shelve.Shelf",
        "shelve.open",
        "yaml.CLoader",
        "yaml.CUnsafeLoader",
        "yaml.Loader",
        "yaml.UnsafeLoader",
        "yaml.unsafe_load",
        "yaml.unsafe_load_all",
    ]
) | {f"{ANY}.{name}" for name in ("__subclasses__", *HIDDEN_ATTRIBUTES)}

ATTRGETTER, METHODCALLER = "operator.attrgetter", "operator.methodcaller"
NAMERS = frozenset({ATTRGETTER, METHODCALLER})
# Calls that name attributes in the arguments between these positions: constants there show which ones.
NAMED_BY_ARGUMENTS = {"builtins.getattr": slice(1, 2), ATTRGETTER: slice(0, None), METHODCALLER: slice(0, 1)}

# Functions that read the frames of the stack. Code that finds the level of a warning calls these alone, besides methods
# of texts.
STACK_WALKERS = frozenset({"inspect.currentframe", "inspect.stack", "sys._getframe"})
FRAME_READERS = frozenset(
    [
        *(f"builtins.{name}" for name in ("any", "enumerate", "int", "isinstance", "len", "range", "str")),
        *(f"inspect.{name}" for name in ("getfile", "getsourcefile")),
        *(f"os.path.{name}" for name in ("abspath", "basename", "dirname", "join", "normpath", "realpath")),
    ]
)
FRAME_METHODS = frozenset({"endswith", "startswith"})

# Names that `ignore=` takes only with the function that uses them: `pipelines.text.clean:getattr`.
SCOPED = frozenset({"getattr", "setattr", *NAMERS})

# Calls that import the module which their only argument names.
IMPORTERS = frozenset({"builtins.__import__", "importlib.import_module", "lazy_loader.load"})

# Calls that make an object out of a table: the entry of this name tells the class or the function.
INSTANTIATORS = frozenset({"hydra.utils.call", "hydra.utils.instantiate"})
TARGET = "_target_"
TABLE_MAKERS = frozenset({"omegaconf.OmegaConf.create", "omegaconf.DictConfig", "builtins.dict"})
