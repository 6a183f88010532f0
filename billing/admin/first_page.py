"""The admin's first page begins with the search for a subscriber, the dashboard and failed events.

The site names the template, so the order of INSTALLED_APPS does not matter, and a project's own admin/index.html is
extended, not replaced. A site with its own `index_template` keeps it and can include billing/admin/start.html.
"""

from django.contrib import admin

TEMPLATE = "billing/admin/index.html"


def install() -> None:
    if admin.site.index_template is None:
        admin.site.index_template = TEMPLATE


install()
