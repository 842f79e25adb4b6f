"""All benchmarks, one after the other; takes about nine minutes, best on an idle machine."""

from pathlib import Path

from benchmarks import (
    administration,
    codec,
    credentials,
    decision,
    glexec_start,
    idle,
    leases,
    pap_admin_start,
    propagation,
    provisioning,
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
    administration.main()
    codec.main()
    credentials.main(root)
    trust.main()
    leases.main()
    servers.main(root)
    soap_port.main(root)
    site_load.main(root)
    glexec_start.main()
    pap_admin_start.main(root / "pap-admin")
    provisioning.main()
    idle.main(root)
    propagation.main(root)
