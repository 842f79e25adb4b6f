"""The data types that requests and policies may have."""

from argus_py.model.identifiers import DataType
from argus_py.xacml.datatypes import READERS, principal_name


def test_every_data_type_with_a_name_has_a_reader() -> None:
    assert set(READERS) == {uri for name, uri in vars(DataType).items() if not name.startswith("_")}


def test_durations_have_two_names_and_other_types_one() -> None:
    assert principal_name(DataType.W3C_DAY_TIME_DURATION) == DataType.DAY_TIME_DURATION
    assert principal_name(DataType.W3C_YEAR_MONTH_DURATION) == DataType.YEAR_MONTH_DURATION
    assert len(set(map(principal_name, READERS))) == len(READERS) - 2
