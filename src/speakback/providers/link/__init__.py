"""WebSockets to services: opened ahead of need, written to by one task each, opened again when they are lost."""
