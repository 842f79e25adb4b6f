"""Remote sides of the ports: PAP, PDP and PEP daemons over HTTP."""
