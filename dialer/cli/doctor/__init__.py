"""The preflight: everything that a first call needs, asked for and told one line each."""
