"""Policy decision: the engine and the refresh of its policy."""
