"""A report on a tagger: what it answers, the figures of that, their plots, the page."""
