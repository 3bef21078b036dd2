"""Joint tagging: XPOS, UPOS, FEATS and lemma, on treebanks of many languages."""
