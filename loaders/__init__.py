"""Loaders of Gongkai: documents in, raw metric rows with their evidence out."""
