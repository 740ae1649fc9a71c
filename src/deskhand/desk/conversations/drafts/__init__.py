"""What people write in the web: drafts, sending them, what arrives meanwhile, and who is told of notes."""
