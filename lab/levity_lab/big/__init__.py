"""A big site's pages: a year of 200 charge points, and how long each page takes over it."""
