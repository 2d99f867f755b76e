"""A code location with no step running."""
