"""Asterisk's manager interface: bytes ↔ messages ↔ domain events, and the session that carries them."""
