"""The whole way on real parts: a service dies, and what the monitoring says becomes a ticket, first aid or a page."""
