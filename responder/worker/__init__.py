"""Runs promised jobs: `local` in this process on SQLite, `cluster` through procrastinate on PostgreSQL."""
