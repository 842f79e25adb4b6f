"""Parts lists and life cycle: the only rooms that know everybody."""
