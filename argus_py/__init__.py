"""The Argus Authorization Service: PAP, PDP and PEP daemons for grid sites."""

__version__ = "0.1.0"
