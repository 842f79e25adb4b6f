"""The policy store on SQLite and PostgreSQL."""
