"""All benchmarks, one after the other; takes about a minute and a half, best on an idle machine."""

from pathlib import Path

from benchmarks import codec, credentials, decision, servers, trust

if __name__ == "__main__":
    root = Path(__file__).resolve().parent.parent / "var" / "benchmarks"
    decision.main()
    codec.main()
    credentials.main(root)
    trust.main()
    servers.main(root)
