"""Ordered providers for each role that survive bad days: failover, second requests for late ones, circuits, budgets."""
