"""A Singer target for the Xero Accounting API.

A record passes the packages in this order; each imports only those before it:

* `content` parses values, names and amounts by Xero's rules.
* `write_specs` has a row for each object that can be written. To add an object, add a row.
* `write_log` remembers what was written of each record, in SQLite or PostgreSQL.
* `intake` reads the input and keeps its records until it ends.
* `lookups` finds what records refer to, and what Xero has already.
* `planning` decides what to ask of Xero: a create, an update, an end, or nothing.
* `writing` sends the requests and settles their answers.
"""
