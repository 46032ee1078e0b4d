"""What a session leans on (speech to text, language model, text to speech), as protocols."""
