"""Who asks how far their own deletion is: the token was revoked, and opens this one answer and nothing else."""

from typing import Any

from rest_framework.authentication import SessionAuthentication, TokenAuthentication
from rest_framework.exceptions import AuthenticationFailed

from .closing import digest
from .models import User


class LeavingTokenAuthentication(TokenAuthentication):
    """A token as ever; else the user whose token it was until they left."""

    def authenticate_credentials(self, key: str) -> tuple[Any, Any]:
        try:
            return super().authenticate_credentials(key)
        except AuthenticationFailed:
            leaving = User.objects.filter(leaving_token=digest(key)).first()
            if leaving is None:
                raise
            return leaving, None


LEAVING = (LeavingTokenAuthentication, SessionAuthentication)
