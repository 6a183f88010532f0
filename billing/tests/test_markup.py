import pytest

from .markup import Page


@pytest.mark.parametrize(
    ("html", "problems"),
    [
        ('<div><p>a<br>b <img src="c"></p><svg><path d="M0 0"/></svg></div>', []),
        ("<div></div></div>", ["</div> of line 1 closes nothing"]),
        ("<div>\n<p>", ["<div> of line 1 is not closed", "<p> of line 2 is not closed"]),
        ("<main>\n<b>a</main>", ["<b> of line 2 is not closed before </main> of line 2"]),
    ],
)
def test_what_is_closed_too_often_too_late_or_never_is_named_by_its_line(html, problems):
    assert Page(html).problems == problems


def test_links_and_frames_are_found():
    assert Page('<a href="/a/">a</a><iframe src="/b/"></iframe><a name="c">c</a>').links == ["/a/", "/b/", ""]
