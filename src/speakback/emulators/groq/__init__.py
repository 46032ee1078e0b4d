"""Groq's speech to text and chat on localhost. What is known of the service and how well: docs/providers.md."""
