"""Taggers of other libraries, each a script for a process and an environment of its own."""
