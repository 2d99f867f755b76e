"""Assets as their authors declare them."""
