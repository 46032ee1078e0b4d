"""How human-like a conversation's timing was: pure, on intervals, whether from a trace, a simulation or two tracks."""
