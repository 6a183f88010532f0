"""Blocks that another test runs, by page or by section of one."""

from .pages import ROOT, Block, Page

CLAIMS = {
    "docs/adopting.md": "billing/tests/setup/test_adopting.py",
    "docs/api.md": "config/tests/test_reference.py",
    "docs/getting-started.md": "billing/tests/hosts/recipe.py",
    "docs/mail.md#in-your-own-project": "billing/tests/hosts/test_mails.py",
    "docs/operations.md#deploying": "config/tests/test_operations.py",
    "docs/operations.md#what-to-watch": "config/tests/test_operations.py",
    "docs/organisations.md": "billing/tests/hosts/test_organisations.py",
    "docs/queues.md": "billing/tests/queues/project.py",
    "docs/sandbox.md#the-first-five-minutes": "stripe_sandbox/tests/test_documentation.py",
    "docs/seams.md": "billing/tests/access/test_seams.py",
    "docs/testing.md": "billing/tests/hosts/test_testing_kit.py",
}


def unclaimed(page: Page) -> list[Block]:
    return [block for block in page.blocks if not {str(page), f"{page}#{block.section}"} & CLAIMS.keys()]


def source_of(claim: str) -> str:
    return (ROOT / CLAIMS[claim]).read_text()
