"""The visitor's page in a real Chromium."""
