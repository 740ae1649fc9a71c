"""The sandbox: an invented account to try Deskhand with, and what makes it behave like a real one."""
