"""All benchmarks, one after the other; takes about six minutes, best on an idle machine."""

from pathlib import Path

from benchmarks import (
    codec,
    credentials,
    decision,
    idle,
    leases,
    propagation,
    scale,
    servers,
    site_load,
    soap_port,
    trust,
)

if __name__ == "__main__":
    root = Path(__file__).resolve().parent.parent / "var" / "benchmarks"
    decision.main()
    scale.main()
    codec.main()
    credentials.main(root)
    trust.main()
    leases.main()
    servers.main(root)
    soap_port.main(root)
    site_load.main(root)
    idle.main(root)
    propagation.main(root)
