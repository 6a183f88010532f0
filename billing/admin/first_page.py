"""The admin's first page begins with the way to a subscriber, to the dashboard and to failed events.

The site names the template, so the order of INSTALLED_APPS decides nothing, and a project's own admin/index.html is
extended and not replaced. A site with an `index_template` of its own keeps it; admin/billing/start.html is there to be
included.
"""

from django.contrib import admin

TEMPLATE = "admin/billing/index.html"


def install() -> None:
    if admin.site.index_template is None:
        admin.site.index_template = TEMPLATE


install()
