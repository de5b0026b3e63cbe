"""One module for each command, with its Typer application as `app`. `dialer.cli.app` loads them by name."""
