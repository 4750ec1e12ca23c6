"""`python -m responder.cli` is `responder`."""

from responder.cli import main

main()
