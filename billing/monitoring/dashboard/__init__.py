"""The dashboard: how payments, revenue, webhooks and mail do, for a period, each figure with its meaning and its rows.

A section is a function `(scope) -> Section`. Those of other apps are added in their `AppConfig.ready`:

    from billing.dashboard import sections
    sections.add(mail_delivery)
"""
