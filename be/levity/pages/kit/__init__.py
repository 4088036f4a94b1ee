"""What all pages are made of: lists, formats, parts that renew themselves."""
