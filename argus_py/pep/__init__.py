"""Policy enforcement: enrich a request, get a decision, fulfil its obligations."""
