"""Damaged and hostile files, and the loaders that they are fed to."""
