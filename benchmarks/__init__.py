"""Speed, always beside a yardstick that runs in the same minutes on the same machine: ``python -m benchmarks``."""
