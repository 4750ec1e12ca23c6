"""The linter: what is allowed in a runbook, and yet unwise at 3 a.m. `docs/lint.md` has a section for each rule."""
