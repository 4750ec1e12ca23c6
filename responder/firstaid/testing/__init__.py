"""Unit tests for runbooks, written in YAML: the real engine on hosts that only answer what a test says."""
