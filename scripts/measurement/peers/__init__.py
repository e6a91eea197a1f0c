"""Other frameworks at the same work: who takes part in scripts/bench-peers, and their workers."""
