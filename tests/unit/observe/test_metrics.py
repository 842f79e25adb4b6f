from concurrent.futures import ThreadPoolExecutor

from argus_py.observe.metrics import Counters


def test_requests_and_errors_are_counted() -> None:
    counters = Counters()
    assert counters.read() == (0, 0)
    counters.started()
    counters.started()
    counters.failed()
    assert counters.read() == (2, 1)


def test_no_count_is_lost_between_threads() -> None:
    counters = Counters()

    def work(_: int) -> None:
        for _ in range(1000):
            counters.started()
            counters.failed()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    assert counters.read() == (8000, 8000)
