"""The database under the ledger: how it is opened, its tables, and how they came to be."""
