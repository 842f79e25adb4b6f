"""lcmaps_c_pep: asks Argus, and takes the account it names.

Endpoints are tried in the order of the file until one answers. ``-wire rest`` is an option of ours: the same question
as JSON, at /v1/authorize. BETTER: two instances in one file keep their options apart; a Permit without account, with
several, or with a name that this machine does not know is a refusal.

Source: man page lcmaps_plugins_c_pep(8) of lcmaps-plugins-c-pep 1.2
"""

import re
from dataclasses import dataclass, replace
from enum import Enum
from typing import Final, TypeVar

from argus_py.errors import MalformedInput, Unavailable
from argus_py.model.identifiers import AuthzInterop
from argus_py.model.response import Response
from argus_py.worker.errors import ClientError
from argus_py.worker.lcmaps_db import Module
from argus_py.worker.pep_answer import NamedAccount, NoAccount, read_account
from argus_py.worker.pep_question import Profile, Question, Wire
from argus_py.worker.plugins.plugin import Options, PluginFailed, known_user, read_options
from argus_py.worker.plugins.verify_proxy import CERTIFICATES
from argus_py.worker.ports import Node, PepTls
from argus_py.worker.state import State

_ENDPOINT: Final = "pep-daemon-endpoint-url"
_MODE: Final = "pep-certificate-mode"
_HESSIAN_PATH: Final = "/authz"
_MAX_URL: Final = 256  # characters, as in the original
_MAX_PORT: Final = 65535
_MAX_ID: Final = 512
_MAX_ENDPOINTS: Final = 16
_URL = re.compile(
    r"https?://(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::(?P<port>[1-9][0-9]{0,4}))?(?:[/?][!-~]*)?",
    re.IGNORECASE,
)
_RESOURCE_TYPES: Final = ("se", "ce", "rb", "wn")
_ACTION_TYPES: Final = ("execute-now", "queue", "access-file")
# The work-around of 2011 for an HTTP library that lost the chain, and the log of a library that is not here.
_WITHOUT_EFFECT: Final = ("use-pilot-proxy-as-cafile", "pep-c-debug")

E = TypeVar("E", bound=Enum)


@dataclass(frozen=True, slots=True)
class CPep:
    node: Node
    endpoints: tuple[str, ...]
    resource: str
    action: str
    profile: Profile
    tls: PepTls
    wire: Wire

    @classmethod
    def of(cls, file: str, module: Module, node: Node) -> "CPep":
        options = read_options(
            file,
            module,
            flags=("check-certificates", "no-check-certificates", *_WITHOUT_EFFECT),
            valued=(
                *(_ENDPOINT, "resourceid", "resourcetype", "actionid", "actiontype", "profile"),
                *(_MODE, "capath", "cafile", "certificate", "key", "pass", "passfile", "wire"),
            ),
        )
        return cls(
            node,
            _endpoints(options),
            _identifier(options, "resource", AuthzInterop.RESOURCE_TYPE, _RESOURCE_TYPES),
            _identifier(options, "action", AuthzInterop.ACTION_TYPE, _ACTION_TYPES),
            _one_of(Profile, options, "profile", Profile.WORKER_NODE),
            _tls(options, node),
            _wire(options),
        )

    def run(self, state: State) -> State:
        """Raises PluginFailed: no answer, a refusal, no account that is known here; ClientError: the pilot's proxy."""
        payload, pilot = state.proxy.certificates, self.node.pilot_certificates()
        question = Question(self.resource, self.action, self.profile, payload, pilot)
        try:
            return self._with_account(state, self.node.ask(self.endpoints, question, self.tls, self.wire))
        except (NoAccount, Unavailable) as error:
            raise PluginFailed(str(error)) from error
        except ClientError:
            raise
        except MalformedInput as error:
            raise PluginFailed(f"the answer of Argus cannot be read: {error}") from error

    def _with_account(self, state: State, response: Response) -> State:
        account = read_account(response)
        if not isinstance(account, NamedAccount):
            return state.with_account((account.uid,), (account.gid,), account.secondary_gids)
        user = known_user(self.node, account.user)
        gids = tuple(map(self._gid, account.groups))
        # The primary group comes among the groups again; it is there once.
        return state.with_account((user.uid,), gids[:1], gids[1:])

    def _gid(self, name: str) -> int:
        gid = self.node.group(name)
        if gid is None:
            raise PluginFailed(f"this machine does not know the group {name!r}")
        return gid


def _endpoints(options: Options) -> tuple[str, ...]:
    options.required(_ENDPOINT)
    endpoints = options.values(_ENDPOINT)
    if len(endpoints) > _MAX_ENDPOINTS:
        raise options.error(f"{len(endpoints)} endpoints; {_MAX_ENDPOINTS} are allowed")
    for endpoint in endpoints:
        if len(endpoint) > _MAX_URL or not _is_http(endpoint):
            raise options.error(f"--{_ENDPOINT}: {endpoint!r} is no http or https URL of {_MAX_URL} characters at most")
    return tuple(dict.fromkeys(endpoints))


def _is_http(url: str) -> bool:
    match = _URL.fullmatch(url)
    return match is not None and int(match["port"] or 1) <= _MAX_PORT


def _identifier(options: Options, what: str, prefix: str, types: tuple[str, ...]) -> str:
    """By ``-resourceid`` or ``-resourcetype``, one of which there has to be."""
    by_id, by_type = options.last(f"{what}id"), options.last(f"{what}type")
    if (by_id is None) == (by_type is None):
        raise options.error(f"one of -{what}id and -{what}type is needed, and not both")
    if by_id is not None:
        if not 0 < len(by_id) <= _MAX_ID:
            raise options.error(f"-{what}id: {len(by_id)} characters; 1 to {_MAX_ID} are allowed")
        return by_id
    if by_type not in types:
        raise options.error(f"-{what}type: {by_type!r} is none of {', '.join(types)}")
    return f"{prefix}{by_type}"


def _one_of(kind: type[E], options: Options, name: str, default: E) -> E:
    text = options.last(name)
    try:
        return default if text is None else kind(text)
    except ValueError:
        known = ", ".join(each.value for each in kind)
        raise options.error(f"-{name}: {text!r} is none of {known}") from None


def _wire(options: Options) -> Wire:
    """Raises PolicyFileError: REST, and something that it does not have."""
    wire = _one_of(Wire, options, "wire", Wire.HESSIAN)
    if wire is Wire.HESSIAN:
        return wire
    if _one_of(Profile, options, "profile", Profile.WORKER_NODE) is not Profile.WORKER_NODE:
        raise options.error(f"-wire rest: it has no other profile than {Profile.WORKER_NODE.value}")
    if options.has("no-check-certificates"):
        raise options.error("-wire rest: certificates are always checked")
    for endpoint in options.values(_ENDPOINT):
        if endpoint.endswith(_HESSIAN_PATH):
            raise options.error(f"-wire rest: leave the path out of {endpoint}, it is that of the other wire")
    return wire


def _tls(options: Options, node: Node) -> PepTls:
    mode = options.last(_MODE) or ("explicit" if options.has("certificate") else "implicit")
    if mode not in ("implicit", "explicit", "none"):
        raise options.error(f"-{_MODE}: {mode!r} is none of implicit, explicit, none")
    if options.has("check-certificates") and options.has("no-check-certificates"):
        raise options.error("-check-certificates and -no-check-certificates contradict each other")
    directory, file = options.last("capath"), options.last("cafile")
    tls = PepTls(
        ca_directory=CERTIFICATES if directory is None and file is None else directory,
        ca_file=file,
        check=not options.has("no-check-certificates"),
        pilot=mode == "implicit",
    )
    if mode != "explicit":
        return tls
    certificate = options.required("certificate")
    password = options.last("pass")
    passfile = options.last("passfile")
    if passfile is not None:
        password = node.text(passfile).partition("\n")[0]
    return replace(tls, certificate=certificate, private_key=options.last("key") or certificate, password=password)
