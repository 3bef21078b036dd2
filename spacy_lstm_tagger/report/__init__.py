"""Report on a tagger: its answers to gold tokens, figures, plots and an HTML page."""
