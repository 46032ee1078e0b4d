"""One live conversation: it feeds the turn core, performs its actions and keeps the truth about what was heard."""
