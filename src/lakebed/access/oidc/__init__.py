"""OpenID Connect: an issuer's keys and tokens, what they mean here, signing in by a browser."""
