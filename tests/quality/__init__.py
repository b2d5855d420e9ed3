"""Faults planted one at a time, each with the rule that must notice it."""
