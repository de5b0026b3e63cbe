"""The program `dialer`, also as `python -m dialer`."""

import sys

from dialer.cli import app


def main() -> None:
    """Run one command and end the process with its exit code."""
    sys.exit(app.main(sys.argv[1:]))


if __name__ == "__main__":
    main()
