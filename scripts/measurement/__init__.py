"""How fast the programs are, alone and beside others: scripts/bench and scripts/bench-peers."""
