"""Files for other programs, read by these: scripts/check-exports and its workers."""
