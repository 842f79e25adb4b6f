"""The policy information points that ``pepd.ini`` can name, and their sections.

Source: argus-pep-server:src/main/java/org/glite/authz/pep/pip/provider
"""

from dataclasses import dataclass
from datetime import UTC, timedelta
from pathlib import Path
from typing import Final

from argus_py.config.catalogue import Catalogue
from argus_py.config.daemon import optional_path
from argus_py.config.ini import SectionReader
from argus_py.config.java_names import PIP_KINDS, PipKind
from argus_py.model.identifiers import Glite
from argus_py.pep.pips.environment_time import EnvironmentTime
from argus_py.pep.pips.glite_profile import GliteProfileSettings
from argus_py.pep.pips.openssl_subject import OpensslSubject
from argus_py.pep.pips.request_validator import RequestValidator


@dataclass(frozen=True, slots=True)
class GliteProfilePart:
    """``voms_dir`` None: attribute certificates are not looked at."""

    settings: GliteProfileSettings
    voms_dir: Path | None
    voms_refresh: timedelta


PipPart = RequestValidator | OpensslSubject | GliteProfilePart | EnvironmentTime


def _request_validator(reader: SectionReader) -> RequestValidator:
    return RequestValidator(
        subjects=reader.boolean("validateRequestSubjects", True),
        resources=reader.boolean("validateRequestResources", True),
        action=reader.boolean("validateRequestAction", True),
        environment=reader.boolean("validateRequestEnvironment", False),
    )


def _openssl_subject(reader: SectionReader) -> OpensslSubject:
    defaults = OpensslSubject()
    return OpensslSubject(
        attribute_ids=frozenset(reader.words("opensslSubjectAttributeIDs") or defaults.attribute_ids),
        datatypes=frozenset(reader.words("opensslSubjectAttributeDatatypes") or defaults.datatypes),
    )


def _glite_profile(reader: SectionReader) -> GliteProfilePart:
    accepted = reader.words("acceptedProfileIDs")
    if accepted == ():
        reader.warn("acceptedProfileIDs", "is empty, so no request is looked at")
    return _profile_part(reader, None if accepted is None else frozenset(accepted))


def _worker_node_profile(reader: SectionReader) -> GliteProfilePart:
    return _profile_part(reader, frozenset({Glite.PROFILE_WORKER_NODE}))


def _profile_part(reader: SectionReader, accepted: frozenset[str] | None) -> GliteProfilePart:
    if not reader.boolean("performPKIXValidation", True):
        # BETTER: refused, since anybody could then claim any name with a certificate of his own making.
        reader.error("performPKIXValidation", "certificates are always validated here")
    return GliteProfilePart(
        GliteProfileSettings(
            accepted_profile_ids=accepted,
            require_certificate=reader.boolean("requireCertificate", True),
            require_proxy=reader.boolean("requireProxy", False),
        ),
        voms_dir=optional_path(reader.string("vomsInfoDir")),
        voms_refresh=reader.minutes("vomsInfoRefresh", 60),
    )


def _environment_time(reader: SectionReader) -> EnvironmentTime:
    reader.warn("parserClass", "puts the second into every request, so no decision is ever found in the cache")
    return EnvironmentTime(UTC if reader.boolean("useUTCTimeZone", True) else None)


PIPS: Final[Catalogue[PipKind, PipPart]] = Catalogue(
    "PIP",
    "policy information point",
    PIP_KINDS,
    {
        PipKind.REQUEST_VALIDATOR: _request_validator,
        PipKind.OPENSSL_SUBJECT: _openssl_subject,
        PipKind.GLITE_PROFILE: _glite_profile,
        PipKind.GLITE_WORKER_NODE: _worker_node_profile,
        PipKind.ENVIRONMENT_TIME: _environment_time,
    },
)
