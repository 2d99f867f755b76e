"""Pure decisions: whether a step reuses or computes, and in which order tables are made."""
