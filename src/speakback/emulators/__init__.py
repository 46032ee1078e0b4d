"""Groq and ElevenLabs on one's own machine: their wire formats, faults and latencies, for tests and load."""
