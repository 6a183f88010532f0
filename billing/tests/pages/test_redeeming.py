"""The page on which a code is redeemed."""

import pytest
from django.contrib.auth import get_user_model

from billing import clock
from billing.catalogue import definitions
from billing.models import Code, Plan, Redemption

pytestmark = pytest.mark.django_db(transaction=True)
PAGE = "/billing/redeem"


@pytest.fixture
def member(client, settings):
    settings.BILLING_CLOCK = ""
    definitions.update_plans()
    client.force_login(get_user_model().objects.create_user("ada@example.com"))
    return client


def said(answer):
    return answer.content.decode()


def test_a_link_brings_the_code_and_the_button_redeems_it(member):
    Code.objects.create(code="TEAM26", batch="partner", plan=Plan.objects.get(slug="team"), made_at=clock.now())
    assert 'value="team-26"' in said(member.get(f"{PAGE}?code=team-26"))
    assert not Redemption.objects.exists()
    answer = member.post(PAGE, {"code": "team-26"}, follow=True)
    assert answer.redirect_chain == [("/billing/", 302)]
    assert "Your code gave you Team." in said(answer)


def test_a_code_that_gives_nothing_stays_in_the_form_beside_the_reason(member):
    answer = member.post(PAGE, {"code": '"><b>x'})
    assert answer.status_code == 400
    assert "We don&#x27;t recognise this code." in said(answer)
    assert "&quot;&gt;&lt;b&gt;x" in said(answer)


def test_a_visitor_logs_in_first_and_comes_back_with_the_code(client):
    assert client.get(f"{PAGE}?code=TEAM26").url == "/accounts/login/?next=/billing/redeem%3Fcode%3DTEAM26"


def test_the_eleventh_try_in_a_minute_waits(member):
    answers = [member.post(PAGE, {"code": f"GUESS{number}"}) for number in range(11)]
    assert [answer.status_code for answer in answers] == [400] * 10 + [429]
