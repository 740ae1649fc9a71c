"""What is left behind, and cleared away, when customers, users and conversations go."""
