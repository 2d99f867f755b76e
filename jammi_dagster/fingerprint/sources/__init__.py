"""Source files: modules, distributions, and the code that is running."""
