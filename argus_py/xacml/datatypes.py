"""The data types of XACML 2.0 (appendix B.3) and gLite by URI, each with the reader of its values."""

from collections.abc import Mapping
from typing import Final

from argus_py.model.identifiers import DataType
from argus_py.xacml.addresses import read_dns_name, read_ip_address, read_rfc822_name
from argus_py.xacml.temporal import (
    read_date,
    read_date_time,
    read_day_time_duration,
    read_time,
    read_year_month_duration,
)
from argus_py.xacml.values import (
    Reader,
    read_any_uri,
    read_base64_binary,
    read_boolean,
    read_double,
    read_fqan,
    read_hex_binary,
    read_integer,
    read_string,
    read_x500_name,
)

READERS: Final[Mapping[str, Reader]] = {
    DataType.STRING: read_string,
    DataType.BOOLEAN: read_boolean,
    DataType.INTEGER: read_integer,
    DataType.DOUBLE: read_double,
    DataType.TIME: read_time,
    DataType.DATE: read_date,
    DataType.DATE_TIME: read_date_time,
    DataType.ANY_URI: read_any_uri,
    DataType.HEX_BINARY: read_hex_binary,
    DataType.BASE64_BINARY: read_base64_binary,
    DataType.X500_NAME: read_x500_name,
    DataType.RFC822_NAME: read_rfc822_name,
    DataType.IP_ADDRESS: read_ip_address,
    DataType.DNS_NAME: read_dns_name,
    DataType.DAY_TIME_DURATION: read_day_time_duration,
    DataType.YEAR_MONTH_DURATION: read_year_month_duration,
    DataType.W3C_DAY_TIME_DURATION: read_day_time_duration,
    DataType.W3C_YEAR_MONTH_DURATION: read_year_month_duration,
    DataType.XPATH_EXPRESSION: read_string,  # of the multiple resource profile; known, and compared by nothing
    DataType.FQAN: read_fqan,
}

# The durations have a name in the text of XACML 2.0, and another one since its errata.
_SAME: Final = {
    DataType.W3C_DAY_TIME_DURATION: DataType.DAY_TIME_DURATION,
    DataType.W3C_YEAR_MONTH_DURATION: DataType.YEAR_MONTH_DURATION,
}


def principal_name(datatype: str) -> str:
    """The one name that stands for all names of a data type."""
    return _SAME.get(datatype, datatype)
