"""What a build needs and a machine lacks: the steps of scripts/bootstrap, downloads and the hidden Python."""
