"""`python -m tests.wires --events 2000 --submissions 2000`: the last line is one JSON object; exit 1 when a promise was
broken."""

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.rig.program import asked, told
from tests.wires import events, submissions


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=2000, help="events told by webhook")
    parser.add_argument("--submissions", type=int, default=2000, help="callbacks handed in by HTTP")
    parser.add_argument("--kills", type=int, default=20, help="of the daemon, in each of both")
    given = asked(parser)
    folder = Path(tempfile.mkdtemp(prefix="mi-wires-"))
    summary: dict[str, Any] = {}
    broken: list[str] = []
    if given.events:
        heard = asyncio.run(
            events.run(given.events, given.seed, folder / "events", kills=given.kills, unanswered=0.002)
        )
        summary |= heard.summary()
        broken += heard.broken
    if given.submissions:
        handed_in = asyncio.run(submissions.run(given.submissions, given.kills, folder / "submissions", given.seed))
        summary |= handed_in.summary()
        broken += [] if handed_in.kept else [f"submissions: {handed_in}"]
    return told(summary, broken, given.seed)


if __name__ == "__main__":
    sys.exit(main())
