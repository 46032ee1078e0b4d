"""Conversations that outlive their connections: tokens, where they are kept meanwhile, and who keeps them fresh."""
