"""Outside words become reports: pure parsing, one file per kind of sender."""
