"""The plug-ins of LCMAPS that policy files of gLExec name, one module per family."""
