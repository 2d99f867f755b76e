"""Calls that run code in processes of their own, and decorators that keep the results of calls."""

from __future__ import annotations

import re

# Processes that are started anew: nobody watches their reads.
SPAWNERS = frozenset(
    [
        "concurrent.futures.InterpreterPoolExecutor",
        "dask.compute",
        "dask.distributed.Client",
        "distributed.Client",
        "joblib.Parallel",
        "loky.ProcessPoolExecutor",
        "loky.get_reusable_executor",
        "multiprocessing.get_context",
        "multiprocessing.set_start_method",
        "multiprocessing.spawn.spawn_main",
        "ray.get",
        "ray.init",
        "torch.multiprocessing.spawn",
    ]
)
FORK = "fork"  # the argument by which a context forks: its children are watched

# The last part of the name of a decorator that keeps results.
CACHES = re.compile(r"cache|memo", re.IGNORECASE)
