"""What an operator sees: logs, and later metrics and traces. Never secrets, never speech content."""
