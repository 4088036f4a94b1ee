"""Files for accountants: electronic invoices, direct debits, bookings."""
