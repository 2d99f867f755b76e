"""Loggers of the package."""

import logging


def configure_root_logger(level: str = "INFO") -> None:
    root = logging.getLogger("grid_data")
    if not root.handlers:
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter("%(asctime)s %(name)s: %(message)s"))
        root.addHandler(handler)
    root.setLevel(level)


def get_logger(name: str) -> logging.Logger:
    return logging.getLogger(f"grid_data.{name}")
