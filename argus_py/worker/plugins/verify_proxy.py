"""lcmaps_verify_proxy: proves the chain of the payload's proxy, and how long its parts may live.

The rules are those of the daemons (``credentials.path``): namespaces and CRLs count too, unlike in the original, which
a site can see only if a CA signs names that are not its own.

Source: lcmaps-plugins-verify-proxy:src/lcmaps_verify_proxy.c
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import Enum
from typing import Final

from argus_py.credentials import path
from argus_py.credentials.certificate import Certificate
from argus_py.credentials.path import VerifiedChain
from argus_py.credentials.rejections import Rejection
from argus_py.worker.lcmaps_db import Module
from argus_py.worker.plugins.plugin import Options, PluginFailed, read_options
from argus_py.worker.ports import Node
from argus_py.worker.state import State

CERTIFICATES: Final = "/etc/grid-security/certificates"
_LEVEL_TTL: Final = "max-proxy-level-ttl"
_VOMS_TTL: Final = "max-voms-ttl"
_LEAF: Final = "l"
_TTL = re.compile(r"(?:(\d{1,5})d-)?(\d{1,2}):(\d{2})")


class Limited(Enum):
    """What is asked of the leaf."""

    ALLOWED = "allow-limited-proxy"
    REFUSED = "disallow-limited-proxy"
    REQUIRED = "require-limited-proxy"


@dataclass(frozen=True, slots=True)
class VerifyProxy:
    """``lifetimes`` by the level of a proxy: "0" is the one the user made, "l" the leaf."""

    node: Node
    directory: str
    limited: Limited
    lifetimes: Mapping[str, timedelta]
    voms_lifetime: timedelta | None
    key_must_be_there: bool

    @classmethod
    def of(cls, file: str, module: Module, node: Node) -> "VerifyProxy":
        directories = ("certdir", "cadir", "capath", "CApath")
        options = read_options(
            file,
            module,
            flags=[
                *(each.value for each in Limited),
                "discard-private-key-absence",
                "never-discard-private-key-absence",
            ],
            valued=[*directories, _VOMS_TTL],
            prefixed=[_LEVEL_TTL],
        )
        given = [each for each in Limited if options.has(each.value)]
        if len(given) > 1:
            raise options.error(f"-{given[0].value} and -{given[1].value} contradict each other")
        voms_ttl = options.last(_VOMS_TTL)
        return cls(
            node,
            options.last(*directories) or CERTIFICATES,
            given[0] if given else Limited.ALLOWED,
            dict(_lifetimes(options)),
            None if voms_ttl is None else _duration(options, voms_ttl),
            options.has("never-discard-private-key-absence"),
        )

    def run(self, state: State) -> State:
        """Raises PluginFailed: a rule of credentials.path or an option is broken; ConfigurationError: no directory."""
        if self.key_must_be_there and not state.proxy.has_key:
            raise PluginFailed("the proxy file has no private key")
        try:
            chain = path.verify(
                state.proxy.chain, self.node.trust(self.directory, state.proxy.chain.links), self.node.now
            )
            self._check_limited(chain.links[0])
            self._check_lifetimes(chain)
            self._check_attributes(chain)
        except Rejection as error:
            raise PluginFailed(str(error)) from error
        return replace(state, verified=chain)

    def _check_limited(self, leaf: Certificate) -> None:
        is_limited = leaf.proxy is not None and leaf.proxy.limited
        if is_limited and self.limited is Limited.REFUSED:
            raise PluginFailed("the proxy is a limited one")
        if not is_limited and self.limited is Limited.REQUIRED:
            raise PluginFailed("the proxy is not a limited one")

    def _check_lifetimes(self, chain: VerifiedChain) -> None:
        proxies = chain.links[: chain.proxy_count]
        for level, proxy in enumerate(reversed(proxies)):
            for name in (str(level), *([_LEAF] if proxy is proxies[0] else [])):
                limit = self.lifetimes.get(name)
                if limit is not None and proxy.not_after - proxy.not_before > limit:
                    raise PluginFailed(f"the proxy of level {level} lives longer than {limit}")

    def _check_attributes(self, chain: VerifiedChain) -> None:
        if self.voms_lifetime is None:
            return
        from argus_py.credentials import attribute_certificate, voms  # noqa: PLC0415 - few sites limit this lifetime

        for encoded in voms.carried(chain):
            ac = attribute_certificate.read_attribute_certificate(encoded)
            if ac.not_after - ac.not_before > self.voms_lifetime:
                raise PluginFailed(f"an attribute certificate of {ac.vo} lives longer than {self.voms_lifetime}")


def _lifetimes(options: Options) -> Iterator[tuple[str, timedelta]]:
    for name, value in options.given:
        option, _, level = name.partition("=")
        if option == _LEVEL_TTL:
            if level.lower() != _LEAF and not (level.isascii() and level.isdecimal() and len(level) < 3):
                raise options.error(f"-{name}: the level is a number, or l for the leaf")
            yield level.lower(), _duration(options, value)


def _duration(options: Options, text: str) -> timedelta:
    match = _TTL.fullmatch(text)
    if match is None:
        raise options.error(f"{text!r} is no time of the form 2d-13:37")
    days, hours, minutes = (int(part or 0) for part in match.groups())
    return timedelta(days=days, hours=hours, minutes=minutes)
