"""The worker-node side: gLExec's configuration and the policy files of LCMAPS, read to check a site's set-up."""
