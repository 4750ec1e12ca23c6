"""The runbook engine: a step looks, reads and plans; only the engine acts."""
