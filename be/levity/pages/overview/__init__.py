"""The first page: the bays of the site, what they charge, and what needs a person."""
