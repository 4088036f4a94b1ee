"""What Prometheus reads: counters of a process, figures of the installation."""
