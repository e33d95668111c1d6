"""Plan, move, prove. No SQL, no server, no command line: what happens is told to a recorder."""
