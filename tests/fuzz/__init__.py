"""The API under everything that its own description allows to be sent, and much that it does not."""
