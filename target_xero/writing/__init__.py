"""Sends requests and settles their answers."""
