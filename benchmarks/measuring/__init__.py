"""Parts that the benchmarks share: corpora, trainings, altered texts, scores, tables.

Nothing is imported here, and nothing but the standard library in `treebank` and `peers.interface`:
the peers' own environments import them too.
"""
