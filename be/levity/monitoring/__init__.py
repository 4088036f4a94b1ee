"""Monitoring: what is wrong, who is notified, and what Prometheus sees."""
