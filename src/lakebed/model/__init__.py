"""Values that every layer speaks in. Imports nothing of ours but the error tree."""
