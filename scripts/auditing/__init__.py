"""What `evaluator audit` finds of what was planted."""
