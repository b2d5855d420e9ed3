"""Measurements of Gongkai: what it reads right, and what each step costs."""
