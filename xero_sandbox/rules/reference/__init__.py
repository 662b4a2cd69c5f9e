"""The rules for what documents refer to: accounts, items, tax rates, tracking categories and more."""
