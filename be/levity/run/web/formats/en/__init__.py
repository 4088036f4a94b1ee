"""For English, which is what the pages speak."""
