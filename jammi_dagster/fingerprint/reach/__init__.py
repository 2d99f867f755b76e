"""What a function's code reaches, and what that says of its result."""
