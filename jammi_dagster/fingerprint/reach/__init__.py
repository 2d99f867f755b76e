"""The first-party code that a function reaches, and the findings in it."""
