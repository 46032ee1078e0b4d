"""One engine or vendor a file. Everything outside this folder knows only the protocols."""
