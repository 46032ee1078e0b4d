"""The other end of the line: a client that calls the gateway as a telephone caller would, and measures what it hears.

Reading order: `timeline` (what a call was), `pacing`, `microphone`, `loudspeaker`, `call_log` (pure parts),
`caller` (the paced duplex client), `measured` and `table` (what came of it).
"""
