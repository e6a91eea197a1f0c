"""The programs treated badly: scripts/stress."""
