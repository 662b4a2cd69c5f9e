"""The command `xero-reconcile`: the ledger that dbt made in the warehouse, beside Xero's own figures."""
