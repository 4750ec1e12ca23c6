"""Settings, policy, inventory, people and runbooks: parsed whole, checked whole, swapped whole."""
