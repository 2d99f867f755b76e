"""A small shop whose report reaches most of it; the tests edit a copy."""

from shop import settings
