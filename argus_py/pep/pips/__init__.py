"""Policy information points, one file each."""
