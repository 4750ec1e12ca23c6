"""What the API is asked and answers, as types: the document is made of them, and tests hold every answer against it."""
