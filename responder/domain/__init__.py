"""How things are decided: pure functions over frozen data, the standard library only."""
