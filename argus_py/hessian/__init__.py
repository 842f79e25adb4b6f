"""Hessian 1: the bytes of the PEP port."""
