"""Damaged and hostile files, and what the package makes of them."""
