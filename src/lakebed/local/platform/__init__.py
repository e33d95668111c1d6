"""The platform on one machine: its components as data, and the one supervisor that runs them."""
