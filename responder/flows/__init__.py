"""What happens: the verbs, one process per file. Flows never call each other; they promise jobs."""
