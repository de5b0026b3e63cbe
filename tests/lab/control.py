"""A blocking AMI session with which the lab steers the far end."""

from __future__ import annotations

import socket

TIMEOUT = 10.0  # seconds


class ControlError(RuntimeError):
    """The far end refused an action."""


class Control:
    """One logged-in session without events; one action at a time."""

    def __init__(self, host: str, port: int, username: str, secret: str) -> None:
        self._socket = socket.create_connection((host, port), TIMEOUT)
        self._reader = self._socket.makefile("rb")
        self._reader.readline()  # the banner
        self.action("Login", Username=username, Secret=secret, Events="off")

    def action(self, name: str, **headers: str) -> dict[str, str]:
        """Send one action and return the headers of its response; raises ControlError unless it succeeded."""
        lines = [f"Action: {name}", *(f"{key}: {value}" for key, value in headers.items())]
        self._socket.sendall("".join(f"{line}\r\n" for line in (*lines, "")).encode())
        while "Response" not in (answer := self._read(name)):
            continue  # an event
        if answer["Response"] != "Success":
            raise ControlError(f"{name}: {answer.get('Message', answer)}")
        return answer

    def close(self) -> None:
        """End the session."""
        self._reader.close()
        self._socket.close()

    def _read(self, name: str) -> dict[str, str]:
        message: dict[str, str] = {}
        for line in iter(self._reader.readline, b"\r\n"):
            if not line:
                raise ControlError(f"{name}: the far end closed the connection")
            key, _, value = line.decode(errors="replace").rstrip("\r\n").partition(": ")
            message[key] = value
        return message
