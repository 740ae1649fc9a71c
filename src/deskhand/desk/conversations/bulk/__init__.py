"""Changing many conversations at once, with a way back."""
