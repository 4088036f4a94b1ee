"""Levity as a program: its processes, its transports, its commands."""
