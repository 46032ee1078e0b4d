"""The edge: HTTP and WebSocket, authentication, and the codecs that translate wire protocols."""
