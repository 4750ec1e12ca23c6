"""How things are stored: the only package that speaks SQL. SQLite and PostgreSQL behave the same."""
