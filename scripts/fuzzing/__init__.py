"""The parsers fuzzed: scripts/fuzz."""
