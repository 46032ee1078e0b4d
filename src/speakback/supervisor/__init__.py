"""Several server processes on one port, kept alive and renewed: `speakback serve --workers N`. No models in here.

Reading order: `port` and `folder` (one for all), `link` (what a worker and its supervisor say to each other), `worker`
(a process), `place` (where there is to be a worker at any time), `crew` (all places).
"""
