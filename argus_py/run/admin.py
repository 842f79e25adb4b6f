"""The admin port of a daemon, with the commands that PDP and PEP share: look at everything again, and stop."""

import ipaddress
import signal
import socket
from collections.abc import Iterable, Mapping

from argus_py.config.daemon import AdminSettings
from argus_py.errors import ConfigurationError
from argus_py.run.servers import Periodic, Port, address_of, run_now
from argus_py.web.admin import NO_QUESTIONS, Answering, Command, admin_app
from argus_py.web.status import StatusPage


def admin_port(
    name: str,
    settings: AdminSettings,
    status: StatusPage,
    periodic: Iterable[Periodic],
    commands: Mapping[str, Command],
    *,
    questions: Mapping[str, Answering] = NO_QUESTIONS,
) -> Port:
    """``name`` is that of the daemon, ``commands`` and ``questions`` are its own.

    ``periodic`` is what /reload does at once.

    Raises ConfigurationError: other hosts could give commands without a password.
    """
    admin_address(settings)

    def reload() -> str:
        run_now(periodic)
        return status.text()  # it says what is in force, and what could not be taken up

    app = admin_app(status, {"/reload": reload, **commands}, stop_process, settings.password, questions)
    return Port(f"{name}-admin", settings.host, settings.port, app, tls=None)


def admin_address(settings: AdminSettings) -> str:
    """Raises ConfigurationError: the host is unknown, or others can reach the port and there is no password."""
    address = resolve(settings.host)
    if settings.password is None and not ipaddress.ip_address(address).is_loopback:
        # BETTER: Java lets the whole network stop the daemon.
        raise ConfigurationError(f"adminHost {settings.host} can be reached from other hosts: set an adminPassword")
    return address


def resolve(host: str) -> str:
    """The address that a port on this host is bound to. Raises ConfigurationError: the name has none."""
    try:
        _, (address, _) = address_of(socket.getaddrinfo(host, None, type=socket.SOCK_STREAM))
    except (OSError, UnicodeError) as error:  # the latter: a name that cannot be one
        raise ConfigurationError(f"the host name {host} cannot be resolved: {error}") from error
    return address


def stop_process() -> None:
    """As by SIGTERM: requests in progress are answered, and in one process all daemons stop."""
    signal.raise_signal(signal.SIGTERM)
