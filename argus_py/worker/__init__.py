"""The worker-node side: gLExec's configuration and rules, the policy files of LCMAPS and the plug-ins they name."""
