"""Failures of the database as failures of this package."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import URL
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError
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
    """Raises StoreUnavailable for what the operator can mend; broken constraints and bad data are our bugs.

    A ProgrammingError is among the former: PostgreSQL says so when tables are gone, as during a restore, or a right is
    missing. Whoever polls the store must live through it.
    """
    try:
        yield
    except (IntegrityError, DataError):
        raise
    except DBAPIError as error:
        raise StoreUnavailable(url, str(error.orig).strip()) from error
    except PoolTimeout as error:
        raise StoreUnavailable(url, "all connections are in use") from error
