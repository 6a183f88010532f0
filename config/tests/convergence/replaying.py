"""A life that went wrong, told so that it can be lived again alone."""

from dataclasses import replace


def told(batch, outcome):
    """Each difference, the life it happened in, and the command that replays it."""
    lines = ["Not as at Stripe:"]
    for number, sentence in outcome.wrong[:30]:
        lines.append(f"  life {number}: {sentence}")
    for number in sorted({number for number, _ in outcome.wrong if number is not None})[:5]:
        life = batch.lives[number]
        lines.append(f"Life {number}: {life}, days between the turns {batch.gaps}. Alone, again and again:")
        lines.append(f"  .venv/bin/python -m bench.soak --replay '{replace(batch, lives=(life,)).to_json()}'")
    return "\n".join(lines)
