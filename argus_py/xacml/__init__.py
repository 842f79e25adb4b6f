"""XACML 2.0: policies, evaluation, documents."""
