"""The staleness sensor and its schedule: builders, the tick, its decision, its cursor."""
