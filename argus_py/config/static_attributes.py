"""The file of static attributes: an ini file with a section per attribute.

Source: argus-pep-server:src/main/java/org/glite/authz/pep/pip/provider/StaticPIPIniConfigurationParser.java
"""

import re
from collections.abc import Sequence

from argus_py.config.ini import Findings, IniFile, Place, Problem, SectionReader
from argus_py.model.attribute import Attribute
from argus_py.model.identifiers import DataType


def read_attributes(
    ini: IniFile, names: Sequence[str], default_issuer: str | None, findings: Findings
) -> tuple[Attribute, ...]:
    """What the sections of these names define, in their order; ``findings`` take what is wrong in the file."""
    attributes: list[Attribute] = []
    for name in names:
        section = ini.sections.get(name)
        if section is None:
            reason = f"INI section {name} does not exist but was listed as an attribute definition section"
            findings.errors.append(Problem(Place(ini.file), reason))
            continue
        reader = SectionReader(ini.file, section, findings)
        attributes.append(_attribute(reader, default_issuer))
        reader.warn_unknown()
    return tuple(attributes)


def _attribute(reader: SectionReader, default_issuer: str | None) -> Attribute:
    delimiters = reader.string("valueDelimiter") or ","  # COMPAT: each character of it is one
    values = re.split(f"[{re.escape(delimiters)}]", reader.required("values"))
    return Attribute(
        id=reader.required("id"),
        values=tuple(value.strip() for value in values if value.strip()),
        datatype=reader.string("datatype") or DataType.STRING,
        issuer=reader.string("issuer") or default_issuer,
    )
