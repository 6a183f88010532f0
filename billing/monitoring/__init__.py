"""Health, metrics, alerts and the dashboard."""

from . import alerts, health, metrics

__all__ = ["alerts", "health", "metrics"]
