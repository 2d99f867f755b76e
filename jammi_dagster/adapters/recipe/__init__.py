"""Recipes: the inputs, descriptor and environment of tables, and the config that a replay gives again."""
