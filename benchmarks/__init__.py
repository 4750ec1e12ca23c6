"""What the service costs beside the least that a durable receiver can do; `python -m benchmarks` prints the rows."""
