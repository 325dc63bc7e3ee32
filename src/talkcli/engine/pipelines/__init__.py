"""One file per job: wires parts together; no maths, no printing."""
