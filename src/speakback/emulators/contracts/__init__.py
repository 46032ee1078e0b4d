"""What both the emulated and the real services must do, held against either; `speakback live-check` runs them."""
