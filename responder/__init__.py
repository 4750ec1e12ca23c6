"""Incident automation: alerts become graded tickets, runbooks give first aid, people get the rest."""

__version__ = "0.1.0"
