"""The whole pipeline as Slurm jobs: scripts/slurm/pipeline submits it, scripts/slurm/test runs it."""
