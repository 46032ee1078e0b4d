"""The OpenAI Realtime protocol (GA names), translated to and from the session's own vocabulary."""
