"""The page of `talk score --report`: its pictures, and what is collected for them."""
