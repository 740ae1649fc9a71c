"""What is done with single threads and what hangs on them."""
