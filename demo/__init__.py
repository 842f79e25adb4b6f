"""The tour of `make run`: a throw-away grid site, a pilot's request, a ban."""
