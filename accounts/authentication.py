"""These classes read `Authorization: Token …` and look tokens up by their digest."""

from typing import Any

from rest_framework.authentication import SessionAuthentication
from rest_framework.authentication import TokenAuthentication as DrfTokenAuthentication
from rest_framework.exceptions import AuthenticationFailed

from . import tokens

NOT_VALID = "This token is not valid, or not any more. Sign in for a new one."


class TokenAuthentication(DrfTokenAuthentication):
    """Reads the header as REST framework does; `request.auth` is the `ApiToken`."""

    def authenticate_credentials(self, key: str) -> tuple[Any, Any]:
        token = tokens.find(key)
        if token is None:
            raise AuthenticationFailed(NOT_VALID)
        tokens.note_use(token)
        return token.user, token


class LeavingTokenAuthentication(TokenAuthentication):
    """Accepts a valid token, or the token of a user whose account is being or has been deleted."""

    def authenticate_credentials(self, key: str) -> tuple[Any, Any]:
        try:
            return super().authenticate_credentials(key)
        except AuthenticationFailed:
            token = tokens.find_deleted(key)
            if token is None:
                raise
            return token.user, token


LEAVING = (LeavingTokenAuthentication, SessionAuthentication)
