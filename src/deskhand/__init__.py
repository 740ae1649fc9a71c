"""Deskhand: a help desk for people and AI agents that speaks the Help Scout Mailbox API 2.0."""

__version__ = "0.1.0"
