"""Who may do what: permissions, roles, grants, keys, tokens, sign-in, rates."""
