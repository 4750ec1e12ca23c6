"""Our side of each outside library, one library one file: how things are reached."""
