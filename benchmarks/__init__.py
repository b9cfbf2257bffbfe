"""Measurements; each compares in one run, and none is a timed test."""
