"""Messages to visitors: planned, worded, sent to real servers on loopback, each at most once."""
