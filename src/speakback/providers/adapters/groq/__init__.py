"""Groq: speech to text (`speech_to_text.py`) and language models (`chat.py`, on `openai_chat.py`)."""
