"""Published replies leave by mail."""
