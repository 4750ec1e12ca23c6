"""What is shown and asked over HTTP: webhooks, API, pages, health and metrics."""
