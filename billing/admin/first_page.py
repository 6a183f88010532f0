"""The admin's first page begins with the search for a subscriber, the dashboard, failed events and what needs a person;
the sidebar lists tables by task.

The site names the template, so the order of INSTALLED_APPS does not matter, and a project's own admin/index.html is
extended, not replaced. A site with its own `index_template` keeps it and can include billing/admin/start.html; a site
whose class has its own `get_app_list` keeps its sidebar.
"""

from functools import partial

from django.contrib import admin
from django.contrib.admin.sites import AdminSite

from . import sidebar

TEMPLATE = "billing/admin/index.html"


def install() -> None:
    if admin.site.index_template is None:
        admin.site.index_template = TEMPLATE
    if admin.site.__class__.get_app_list is AdminSite.get_app_list:
        djangos = partial(AdminSite.get_app_list, admin.site)
        admin.site.get_app_list = sidebar.by_task(djangos)


install()
