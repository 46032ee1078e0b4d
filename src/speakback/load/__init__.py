"""Many callers at once, in real time: what a server bears, as its clients hear it (`speakback load`).

Reading order: `lines`, `repertoire` and `plan` (what callers say, and when: drawn beforehand, whatever the server
does), `pacing` (the one clock that all share), `wire`, `speaking`, `hearing` and `talker` (one caller), `run` (all of
them), `record`, `answers` and `report` (what came of it; pure), `table`.
"""
