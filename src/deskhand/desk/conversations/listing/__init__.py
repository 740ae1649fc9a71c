"""Lists of conversations: filters, search, pages."""
