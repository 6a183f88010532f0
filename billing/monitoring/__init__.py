"""Health, metrics, alerts and the dashboard."""

from . import alerts, dashboard, health, metrics

__all__ = ["alerts", "dashboard", "health", "metrics"]
