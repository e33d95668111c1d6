"""The executor under load, one program a case; each prints what it measured as figures."""
