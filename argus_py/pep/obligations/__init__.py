"""Obligation handlers."""
