"""A step that runs: inputs, body, outputs, events."""
