"""Collections of photographs, made ready for the programs: scripts/data."""
