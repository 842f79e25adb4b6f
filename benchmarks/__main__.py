"""All benchmarks, one after the other; takes about four minutes, best on an idle machine."""

from pathlib import Path

from benchmarks import codec, credentials, decision, idle, leases, propagation, servers, site_load, trust

if __name__ == "__main__":
    root = Path(__file__).resolve().parent.parent / "var" / "benchmarks"
    decision.main()
    codec.main()
    credentials.main(root)
    trust.main()
    leases.main()
    servers.main(root)
    site_load.main(root)
    idle.main(root)
    propagation.main(root)
