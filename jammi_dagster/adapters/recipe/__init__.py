"""How a step makes its tables: descriptor, environment, and the config that a replay gives again."""
