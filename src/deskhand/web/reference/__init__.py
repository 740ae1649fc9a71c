"""The reference pages: every operation of the catalogue, and the guides a newcomer learns the API from."""
