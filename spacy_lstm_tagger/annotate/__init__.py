"""Annotate corpora of any size: files in, files out, shard by shard."""
