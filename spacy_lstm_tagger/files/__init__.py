"""Bytes on disk: writing whole files, reading texts and docs."""
