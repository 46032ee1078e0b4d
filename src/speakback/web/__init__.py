"""The page to talk to the server: its templates and static files, its routes, and what may be chosen in it."""
