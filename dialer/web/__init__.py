"""The HTTP surface: reads services, never SQL."""
