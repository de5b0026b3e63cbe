"""The way out over HTTPS: one client with guarded addresses, bounded bodies and patience."""
