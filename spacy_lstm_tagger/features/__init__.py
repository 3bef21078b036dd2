"""From spaCy's docs to arrays of numbers."""
