"""How Django itself writes dates and times: as Levity does."""
