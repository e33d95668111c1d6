"""The audit log: what was written or refused, chained so that whatever is taken out is missed."""
