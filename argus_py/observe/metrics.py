"""The counters of the status page."""

import threading


class Counters:
    """Requests and errors since the start; errors never exceed requests, and no count is lost between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._requests = 0
        self._errors = 0

    def started(self) -> None:
        with self._lock:
            self._requests += 1

    def failed(self) -> None:
        with self._lock:
            self._errors += 1

    def read(self) -> tuple[int, int]:
        """Requests and errors, of the same moment."""
        with self._lock:
            return self._requests, self._errors
