"""API tokens are issued, found by their value and revoked here. Only the person who asks for a token sees its value,
once."""

import secrets
from datetime import timedelta

from django.db.models import Q
from django.db.models.functions import Coalesce
from django.utils import timezone

from .conf import conf
from .models import ApiToken, User, digest

AT_MOST = 50
KEEP_SPENT = timedelta(days=90)
NOTE_USE_EVERY = timedelta(minutes=1)
PREFIX_LENGTH = 8
NAME_BY_API = "Logged in by API"


def issue(user: User, name: str) -> str:
    """Create a token and return its value, 256 random bits. Beyond `AT_MOST` tokens, those unused for longest are
    revoked."""
    value, now = secrets.token_urlsafe(32), timezone.now()
    ApiToken.objects.create(
        user=user,
        digest=digest(value),
        password_digest=digest(user.password),
        prefix=value[:PREFIX_LENGTH],
        name=name,
        created_at=now,
        expires_at=now + conf.token_life if conf.token_life else None,
    )
    _make_room(user)
    return value


def find(value: str) -> ApiToken | None:
    """Return the valid token with this value, or None. The look-up is by digest, so its timing reveals nothing."""
    token = ApiToken.objects.current().select_related("user").filter(digest=digest(value)).first()
    return token if token and token.state == "valid" else None


def find_deleted(value: str) -> ApiToken | None:
    """Return the token that the deletion of its account revoked. It only tells how far the deletion is."""
    revoked = ApiToken.objects.filter(revoked_because=ApiToken.Because.DELETION)
    return revoked.select_related("user").filter(digest=digest(value)).first()


def note_use(token: ApiToken) -> None:
    """Record the use of a token, at most once a minute."""
    now = timezone.now()
    if token.last_used_at and now - token.last_used_at < NOTE_USE_EVERY:
        return
    is_due = Q(last_used_at=None) | Q(last_used_at__lte=now - NOTE_USE_EVERY)
    ApiToken.objects.filter(is_due, pk=token.pk).update(last_used_at=now)


def _make_room(user: User) -> None:
    by_use = ApiToken.objects.of(user).order_by(Coalesce("last_used_at", "created_at").desc(), "-created_at")
    crowded_out = list(by_use.values_list("pk", flat=True)[AT_MOST:])
    ApiToken.objects.filter(pk__in=crowded_out).revoke(ApiToken.Because.CROWDED_OUT)
    long_ago = timezone.now() - KEEP_SPENT
    ApiToken.objects.filter(Q(revoked_at__lt=long_ago) | Q(expires_at__lt=long_ago), user=user).delete()
