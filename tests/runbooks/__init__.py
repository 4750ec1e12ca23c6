"""The shipped runbooks, on real servers where a user has them."""
