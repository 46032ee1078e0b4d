"""ElevenLabs: `flash.py` (text-to-speech sockets, HTTP behind them) and `expressive.py` (dialogue sockets)."""
