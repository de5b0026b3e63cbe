"""``python -m tests.lab build`` builds the Asterisk tree; ``run`` starts a lab for a human until Ctrl-C."""

from __future__ import annotations

import signal
import sys
from contextlib import suppress

from tests.lab import AsteriskError, Lab, TreeError, ensure_tree


def main(arguments: list[str]) -> int:
    """Run one command; its exit status."""
    try:
        match arguments:
            case ["build"]:
                print(ensure_tree().root)
            case ["run"]:
                signal.signal(signal.SIGTERM, signal.default_int_handler)
                with suppress(KeyboardInterrupt):
                    _run()
            case _:
                print("usage: python -m tests.lab build|run", file=sys.stderr)
                return 2
    except (TreeError, AsteriskError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _run() -> None:
    with Lab.create() as lab:
        access = lab.ami
        print(f"AMI         {access.host}:{access.port} (TLS {access.tls_port}, CA {access.ca_file})")
        print(f"account     {access.username} / {access.secret}")
        print(f"agents      {', '.join(lab.agents)}; unregistered: {', '.join(lab.unregistered)}")
        print(f"trunk       {lab.trunk}: any number answers after 0.2 s and hangs up after 3 s")
        print(f"folder      {lab.root}, deleted at the end")
        print("Ctrl-C stops it.", flush=True)
        signal.pause()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
