"""Monitoring shows staff and operators how the project does: health, metrics, alerts and the dashboard."""

from . import alerts, dashboard, health, metrics, needs, unknown_values, workers

__all__ = ["alerts", "dashboard", "health", "metrics", "needs", "unknown_values", "workers"]
