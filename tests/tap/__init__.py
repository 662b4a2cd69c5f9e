"""Tests of the tap, over HTTP at the sandbox."""
