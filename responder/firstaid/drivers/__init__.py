"""How a service is moved from one node to another, one file per way of doing it."""
