"""The pure core: no I/O, no clock, no randomness. Everything here is decided from its arguments alone."""
