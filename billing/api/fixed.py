"""The API answers alike in every project, since this module fixes what DRF would take from REST_FRAMEWORK.

Who a request comes from is the project's own: its authentication classes, and what they make of a stranger.
"""

from collections.abc import Sequence
from datetime import UTC
from typing import Any

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from drf_spectacular.extensions import OpenApiSerializerFieldExtension
from drf_spectacular.openapi import AutoSchema
from rest_framework import ISO_8601, serializers
from rest_framework.metadata import SimpleMetadata
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import JSONRenderer
from rest_framework.settings import DEFAULTS, IMPORT_STRINGS, APISettings
from rest_framework.views import APIView

from billing import localized

# Settings that name one thing are DRF's own; without a setting of the user's it would read the project's.
SETTINGS = APISettings({"DEFAULT_VERSION": None}, DEFAULTS, IMPORT_STRINGS)


class OwnWords(serializers.CharField):
    """This field is the name or description of what is sold, in the reader's language where a catalogue has it."""

    def to_representation(self, value: Any) -> str:
        return localized.own_words(super().to_representation(value))


class Negotiation(DefaultContentNegotiation):
    settings: Any = SETTINGS


class Renderer(JSONRenderer):
    compact = strict = True
    ensure_ascii = False


class FixedView(APIView):
    """These attributes of a view are the same in every project."""

    settings: Any = SETTINGS
    content_negotiation_class = Negotiation
    metadata_class = SimpleMetadata
    renderer_classes = (Renderer,)
    throttle_classes: Sequence[Any] = ()
    versioning_class = None


class Moment(serializers.DateTimeField):
    """A moment is written in ISO 8601, in UTC."""

    def __init__(self, **options: Any) -> None:
        super().__init__(format=ISO_8601, default_timezone=UTC, **options)


class Day(serializers.DateField):
    """A day is written and read in ISO 8601."""

    def __init__(self, **options: Any) -> None:
        super().__init__(format=ISO_8601, input_formats=[ISO_8601], **options)


class Choice(serializers.ChoiceField):
    """The error of this choice field lists the choices, and does not repeat the wrong value."""

    def __init__(self, choices: list[str], **options: Any) -> None:
        sentence = format_lazy(_("Choose one of: {choices}."), choices=", ".join(choices))
        super().__init__(choices, error_messages={"invalid_choice": sentence}, **options)


class Schema(AutoSchema):
    """Components have names of our own: a project may have a serializer of the same name, for something else."""

    def get_serializer_name(self, serializer: Any, direction: Any) -> str:
        return f"Billing{super().get_serializer_name(serializer, direction)}"


class ChoiceInPlace(OpenApiSerializerFieldExtension):
    """Choices stand where they are used: as components they would share the names of the project's."""

    target_class = Choice
    match_subclasses = True

    def map_serializer_field(self, auto_schema: Any, direction: Any) -> Any:
        found = auto_schema._map_serializer_field(self.target, direction, bypass_extensions=True)
        listed = {name: found.pop(name) for name in ("enum", "type") if name in found}
        found.pop("x-spec-enum-id", None)
        return {**found, "allOf": [listed]}
