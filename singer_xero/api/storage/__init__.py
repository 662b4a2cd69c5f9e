"""Where the programs keep files and rows: paths, private files, PostgreSQL."""
