"""The gallery as staff sees it: the mail shows in its frames, under the site's own policy."""

import pytest

from billing.tests.browser import accessibility

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_a_mail_is_looked_at_in_another_language(live_server, browse, shoot, django_user_model):
    django_user_model.objects.create_superuser("staff@example.com", "correct horse battery")
    page = browse(live_server.url + "/admin/login/?next=/admin/billing_mail/preview/")
    page.locator("[name=username]").fill("staff@example.com")
    page.locator("[name=password]").fill("correct horse battery")
    page.get_by_role("button", name="Log in").click()
    page.get_by_label("Language").select_option("de")
    page.get_by_role("button", name="Show").click()
    for frame in (page.frame_locator("iframe").nth(0), page.frame_locator("iframe").nth(1)):
        assert frame.locator("html").get_attribute("lang") == "de"
        assert frame.locator("body").inner_text().strip()
    shoot(page, "gallery-of-mails")
    ours = [problem for problem in accessibility.problems(page) if "nav-filter" not in problem]  # Django's own
    assert ours == []
