"""Monitoring shows staff and operators how the project does: health, metrics, alerts and the dashboard."""

from . import alerts, dashboard, digest, health, metrics, needs, unknown_values, workers

__all__ = ["alerts", "dashboard", "digest", "health", "metrics", "needs", "unknown_values", "workers"]
