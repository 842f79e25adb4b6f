"""Ini files of the Java daemons and their translation to frozen settings."""
