"""What schemathesis sent and heard, read from its own record and judged anew."""

import json
from base64 import b64decode
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PROBLEM = "application/problem+json"


@dataclass
class Judged:
    """`server_errors`: 5xx but 503; `undocumented`: statuses that the operation does not name, and answers that are not
    of the form that it names; `accepted`: the ids of callbacks that were answered 201; `where`: what went wrong."""

    cases: int = 0
    server_errors: int = 0
    undocumented: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    accepted: list[str] = field(default_factory=list)
    where: Counter[str] = field(default_factory=Counter)

    def add(self, file: Path, document: Mapping[str, Any]) -> None:
        """Judge one record."""
        for label, interaction, failed in _interactions(file):
            self.cases += 1
            response = interaction.get("response")
            if response is None:
                self._wrong("server_errors", f"{label}: no answer")
                continue
            status = response["status_code"]
            self.statuses[status] += 1
            self._judge(label, interaction["request"], response, document)
            for name in failed:
                self._wrong("undocumented", f"{label}: {name} ({status})")

    def _judge(
        self, label: str, request: Mapping[str, Any], response: Mapping[str, Any], document: Mapping[str, Any]
    ) -> None:
        status, (method, path) = response["status_code"], label.split(" ", 1)
        operations = document["paths"][path]
        its = operations.get(request["method"].lower())
        known = its["responses"] if its else {"405": {}}
        if status >= 500 and status != 503:
            self._wrong("server_errors", f"{label}: {status}")
        elif str(status) not in known:
            self._wrong("undocumented", f"{request['method']} {path}: {status}")
        kind = response["headers"].get("content-type", [""])[0]
        if status >= 400 and kind != PROBLEM and request["method"] != "HEAD":
            self._wrong("undocumented", f"{label}: {status} is no problem")
        if method == "POST" and path == "/v1/callbacks" and status == 201:
            self.accepted.append(json.loads(_body(response))["id"])

    def _wrong(self, what: str, where: str) -> None:
        setattr(self, what, getattr(self, what) + 1)
        self.where[where] += 1


def _interactions(file: Path) -> Iterator[tuple[str, Mapping[str, Any], list[str]]]:
    """Each request with its operation's label, and the names of the checks that it failed."""
    with file.open() as lines:
        for line in lines:
            for event in json.loads(line).values():
                recorder = event.get("recorder") if isinstance(event, dict) else None
                if not recorder:
                    continue
                checks = recorder.get("checks", {})
                for id_, interaction in recorder["interactions"].items():
                    failed = [check["name"] for check in checks.get(id_, ()) if check["status"] != "success"]
                    yield recorder["label"], interaction, failed


def _body(response: Mapping[str, Any]) -> str:
    content = response["content"]
    return b64decode(content["$base64"]).decode() if isinstance(content, dict) else str(content)
