"""Failures of the database as failures of this package."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import URL
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from argus_py.errors import Unavailable


class StoreUnavailable(Unavailable):
    """The database ``url`` cannot be reached, is locked for too long, full or damaged; ``reason`` is its own text."""

    def __init__(self, url: URL, reason: str) -> None:
        super().__init__(f"the policy database {url.render_as_string(hide_password=True)} cannot be used: {reason}")
        self.url = url
        self.reason = reason


@contextmanager
def database_errors(url: URL) -> Iterator[None]:
    """Raises StoreUnavailable for what the operator can mend; wrong statements and broken constraints are our bugs."""
    try:
        yield
    except (IntegrityError, ProgrammingError, DataError):
        raise
    except DBAPIError as error:
        raise StoreUnavailable(url, str(error.orig).strip()) from error
    except PoolTimeout as error:
        raise StoreUnavailable(url, "all connections are in use") from error
