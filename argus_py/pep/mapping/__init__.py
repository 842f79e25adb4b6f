"""From a subject to a local account: map files, groups, lease names."""
