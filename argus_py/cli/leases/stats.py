"""``argus leases stats``: size, use and damage of each pool."""

from argus_py.cli.leases.command import Call, Exit
from argus_py.cli.leases.maps import mapped_pools
from argus_py.cli.leases.names import shown_time
from argus_py.store.lease_files import pool_uses, read_contents


def pool_stats(call: Call) -> Exit:
    """Raises Unavailable: a directory cannot be read."""
    told = [
        (directory, figures)
        for directory in call.directories
        for figures in pool_uses(read_contents(directory), mapped_pools(call.maps_of(directory)))
    ]
    if call.wants_json:
        call.say_json(
            {
                "pools": [
                    {
                        "directory": str(directory),
                        "pool": figures.pool,
                        "size": figures.size,
                        "used": figures.used,
                        "free": figures.free,
                        "damaged": figures.damaged,
                        "oldest_use": shown_time(figures.oldest_use),
                    }
                    for directory, figures in told
                ]
            }
        )
    else:
        call.say_table(
            ("POOL", "SIZE", "USED", "FREE", "DAMAGED", "OLDEST-USE", "DIRECTORY"),
            (
                (
                    figures.pool,
                    str(figures.size),
                    str(figures.used),
                    str(figures.free),
                    str(figures.damaged),
                    shown_time(figures.oldest_use),
                    str(directory),
                )
                for directory, figures in told
            ),
        )
    return Exit.PROBLEMS if any(figures.damaged for _, figures in told) else Exit.FINE
