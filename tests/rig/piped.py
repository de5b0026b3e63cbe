"""A daemon whose disk can be full and whose files can be forbidden to it."""

import contextlib
import os
import resource
import subprocess
from collections.abc import Iterator

from tests.rig.daemon import Daemon

# What the bits of a file's mode forbid is forbidden to root as well then.
_FEEBLE = ("setpriv", "--bounding-set=-dac_override,-dac_read_search") if os.geteuid() == 0 else ()


class Piped(Daemon):
    """Its log goes through a pipe: a limit on the size of its files is then one on its store alone."""

    def start(self) -> None:
        with self._log.open("ab") as out:
            self._cat = subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=out)
        assert self._cat.stdin is not None
        with self._cat.stdin as pipe:
            self._spawn(pipe, *_FEEBLE)

    def wait(self, seconds: float = 60) -> int:
        code = super().wait(seconds)
        self._cat.wait()
        return code

    def kill(self) -> None:
        super().kill()
        self._cat.wait()

    @contextlib.contextmanager
    def full_disk(self) -> Iterator[None]:
        """No file of the daemon's can be written while inside."""
        soft, hard = resource.prlimit(self.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(self.pid, resource.RLIMIT_FSIZE, (0, hard))
        try:
            yield
        finally:
            resource.prlimit(self.pid, resource.RLIMIT_FSIZE, (soft, hard))
