"""Every mail on a phone, by day and by night, in the language with the longest words."""

import pytest

from billing.tests.browser import accessibility, axe
from notifications import rendering
from notifications.models import Mail
from notifications.samples import SAMPLES

pytestmark = [pytest.mark.browser]
PHONE = {"width": 360, "height": 740}
LOOK = """() => [
    document.documentElement.scrollWidth,
    getComputedStyle(document.querySelector('.card')).backgroundColor,
    getComputedStyle(document.querySelector('h1')).color,
    document.querySelector('.button').getBoundingClientRect().height,
]"""


def test_every_mail_fits_a_phone_and_is_light_and_dark(browse):
    page = browse("about:blank")
    page.set_viewport_size(PHONE)
    for name, (kind, context) in SAMPLES.items():
        page.set_content(rendering.render(Mail(kind=kind, context=context), "de").html)
        looks = []
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            width, card, heading, touch = page.evaluate(LOOK)
            assert width <= PHONE["width"], name
            assert touch >= 44, name
            looks.append((card, heading))
            rules = axe.COLOURS if scheme == "dark" else ()
            found = accessibility.problems(page) + axe.violations(page, *rules)
            assert (name, scheme, found) == (name, scheme, [])
        assert looks == [("rgb(255, 255, 255)", "rgb(17, 24, 39)"), ("rgb(26, 29, 35)", "rgb(243, 244, 246)")], name
