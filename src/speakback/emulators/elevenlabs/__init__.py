"""ElevenLabs on localhost: its text-to-speech and dialogue sockets, and its HTTP side."""
