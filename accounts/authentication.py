"""The API authenticates `Authorization: Token …` against digests. A deleted user may ask with a revoked token how far
the deletion is."""

from typing import Any

from django.utils.translation import gettext_lazy
from rest_framework.authentication import SessionAuthentication
from rest_framework.authentication import TokenAuthentication as DrfTokenAuthentication
from rest_framework.exceptions import AuthenticationFailed

from . import tokens

NOT_VALID = gettext_lazy("This token is invalid, expired or revoked. Log in to get a new one.")


class TokenAuthentication(DrfTokenAuthentication):
    """Read the header as DRF reads it; `request.auth` is the `ApiToken`."""

    def authenticate_credentials(self, key: str) -> tuple[Any, Any]:
        token = tokens.find(key)
        if token is None:
            raise AuthenticationFailed(str(NOT_VALID))
        tokens.note_use(token)
        return token.user, token


class DeletionTokenAuthentication(TokenAuthentication):
    """Accept a valid token, or one that the deletion of its account revoked."""

    def authenticate_credentials(self, key: str) -> tuple[Any, Any]:
        try:
            return super().authenticate_credentials(key)
        except AuthenticationFailed:
            token = tokens.find_deleted(key)
            if token is None:
                raise
            return token.user, token


DELETING = (DeletionTokenAuthentication, SessionAuthentication)
