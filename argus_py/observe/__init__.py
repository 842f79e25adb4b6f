"""Logs, audit lines, counters."""
