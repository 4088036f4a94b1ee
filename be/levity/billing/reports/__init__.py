"""What was charged, by charger, household, id tag or month; and availability of chargers."""
