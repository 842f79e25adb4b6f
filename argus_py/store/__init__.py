"""Files and databases: policies in SQL, trust and map files, the gridmapdir."""
