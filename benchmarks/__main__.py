"""All benchmarks, one after the other; takes about two minutes, best on an idle machine."""

from pathlib import Path

from benchmarks import codec, decision, servers

if __name__ == "__main__":
    decision.main()
    codec.main()
    servers.main(Path(__file__).resolve().parent.parent / "var" / "benchmarks")
