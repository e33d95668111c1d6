"""Notifications of operations: kept in the database, signed, sent to vetted addresses, retried."""
