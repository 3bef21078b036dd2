"""Taggers of other libraries, each a script that runs in a process and environment of its own."""
