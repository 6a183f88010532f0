"""Our API answers alike whatever a host project sets in REST_FRAMEWORK, and its schema keeps its names."""

import pkgutil
import re
from datetime import date
from importlib import import_module

import pytest
from django.core.cache import cache
from django.urls import include, path
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator
from rest_framework import serializers
from rest_framework.metadata import BaseMetadata
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.parsers import JSONParser
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response
from rest_framework.settings import DEFAULTS, api_settings
from rest_framework.throttling import BaseThrottle
from rest_framework.versioning import BaseVersioning, NamespaceVersioning
from rest_framework.views import APIView

from billing import api
from billing.api.agreements import AgreementAnswer
from billing.api.asked import PauseRequest
from billing.api.fixed import Choice, Day, Moment
from billing.models import Usage

pytestmark = pytest.mark.django_db

# Who asks is the project's to say; and these are for tests, and for what we do not use.
THEIRS = {"DEFAULT_AUTHENTICATION_CLASSES", "UNAUTHENTICATED_USER", "UNAUTHENTICATED_TOKEN"}
NOT_OURS = {"TEST_REQUEST_RENDERER_CLASSES", "TEST_REQUEST_DEFAULT_FORMAT"}
ODD = {
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.StaticHTMLRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.FileUploadParser"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAdminUser"],
    "DEFAULT_THROTTLE_CLASSES": ["rest_framework.throttling.AnonRateThrottle"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "rest_framework.negotiation.BaseContentNegotiation",
    "DEFAULT_METADATA_CLASS": None,
    "DEFAULT_VERSIONING_CLASS": "rest_framework.versioning.NamespaceVersioning",
    "DEFAULT_PAGINATION_CLASS": "rest_framework.pagination.CursorPagination",
    "DEFAULT_FILTER_BACKENDS": ["rest_framework.filters.SearchFilter"],
    "DEFAULT_SCHEMA_CLASS": "rest_framework.schemas.coreapi.AutoSchema",
    "DEFAULT_THROTTLE_RATES": {"anon": "1/day", "user": "1/day"},
    "NUM_PROXIES": 3,
    "SCHEMA_COERCE_METHOD_NAMES": {"retrieve": "fetch"},
    "SCHEMA_COERCE_PATH_PK": False,
    "PAGE_SIZE": 1,
    "SEARCH_PARAM": "limit",
    "ORDERING_PARAM": "after",
    "DEFAULT_VERSION": "v1",
    "ALLOWED_VERSIONS": ["v1", "v2"],
    "VERSION_PARAM": "line",
    "VIEW_NAME_FUNCTION": "rest_framework.views.get_view_description",
    "VIEW_DESCRIPTION_FUNCTION": "rest_framework.views.get_view_name",
    "EXCEPTION_HANDLER": "rest_framework.views.get_view_name",
    "NON_FIELD_ERRORS_KEY": "__all__",
    "LIST_SERIALIZER_ERRORS_AS_DICT": False,
    "URL_FORMAT_OVERRIDE": "line",
    "FORMAT_SUFFIX_KWARG": "feature",
    "URL_FIELD_NAME": "id",
    "DATE_FORMAT": "%d.%m.%Y",
    "DATE_INPUT_FORMATS": ["%d.%m.%Y"],
    "DATETIME_FORMAT": "%d.%m.%Y %H:%M",
    "DATETIME_INPUT_FORMATS": ["%d.%m.%Y"],
    "TIME_FORMAT": "%H",
    "TIME_INPUT_FORMATS": ["%H"],
    "DURATION_FORMAT": "iso-8601",
    "UNICODE_JSON": False,
    "COMPACT_JSON": False,
    "STRICT_JSON": False,
    "COERCE_DECIMAL_TO_STRING": False,
    "COERCE_BIGINT_TO_STRING": True,
    "UPLOADED_FILES_USE_URL": False,
    "HTML_SELECT_CUTOFF": 1,
    "HTML_SELECT_CUTOFF_TEXT": "",
}
MINE = [
    ("get", "/api/v1/plans", None),
    ("get", "/api/v1/plans?format=csv&line=json", None),
    ("get", "/api/v1/subscriptions/current", None),
    ("get", "/api/v1/subscriptions/current?line=main", None),
    ("get", "/api/v1/subscriptions", None),
    ("get", "/api/v1/subscriptions/invoices?limit=1", None),
    ("options", "/api/v1/subscriptions/checkout", None),
    ("post", "/api/v1/subscriptions/checkout", "[]"),
    ("post", "/api/v1/subscriptions/checkout", '{"plan": NaN}'),
    ("post", "/api/v1/subscriptions/preview", '{"plan": "team", "interval": "month"}'),
    ("post", "/api/v1/usage/generations", '{"quantity": 1}'),
    ("post", "/api/v1/usage/generations", '{"quantity": 1}'),
    ("post", "/api/v1/subscriptions/cancel", '{"when": "Mañana"}'),
]


# Their formats, names and spellings are settings of DRF's.
OF_THE_PROJECT = (
    serializers.ChoiceField,
    serializers.DateField,
    serializers.DateTimeField,
    serializers.DecimalField,
    serializers.DurationField,
    serializers.FileField,
    serializers.HyperlinkedIdentityField,
    serializers.TimeField,
)
# What a moment later is another.
SECOND = re.compile(rb'T\d\d:\d\d:\d\dZ|(?<="proration_date":)\d+|(?<=available in )\d+')


class RefuseAll(BaseThrottle):
    def allow_request(self, request, view):
        return False


@pytest.fixture
def odd(settings, monkeypatch):
    """Set all of it. What DRF reads while its classes are made is put into them."""
    settings.REST_FRAMEWORK = {**settings.REST_FRAMEWORK, **ODD}
    settings.TIME_ZONE = "America/Los_Angeles"
    for name, value in {
        "renderer_classes": api_settings.DEFAULT_RENDERER_CLASSES,
        "parser_classes": api_settings.DEFAULT_PARSER_CLASSES,
        "permission_classes": api_settings.DEFAULT_PERMISSION_CLASSES,
        "throttle_classes": [RefuseAll],
        "content_negotiation_class": api_settings.DEFAULT_CONTENT_NEGOTIATION_CLASS,
        "metadata_class": BaseMetadata,
        "versioning_class": NamespaceVersioning,
        "settings": api_settings,
    }.items():
        monkeypatch.setattr(APIView, name, value)
    monkeypatch.setattr(BaseVersioning, "allowed_versions", ["v1", "v2"])
    monkeypatch.setattr(BaseVersioning, "default_version", "v1")
    monkeypatch.setattr(JSONRenderer, "compact", False)
    monkeypatch.setattr(JSONRenderer, "ensure_ascii", True)
    monkeypatch.setattr(JSONRenderer, "strict", False)
    monkeypatch.setattr(JSONParser, "strict", False)
    monkeypatch.setattr(DefaultContentNegotiation, "settings", api_settings)


def answers(client):
    def ask(method, address, body):
        answer = getattr(client, method)(address, data=body, content_type="application/json")
        return (
            method,
            address,
            body,
            answer.status_code,
            answer.headers["Content-Type"],
            SECOND.sub(b"", answer.content),
        )

    return [ask(*asked) for asked in MINE]


@pytest.fixture
def before(world, client):
    ada = world.subscribed()
    client.force_login(ada.user)
    return answers(client)


def test_nothing_of_a_hosts_settings_reaches_our_answers(before, client, request, world):
    Usage.objects.all().delete()
    cache.clear()
    request.getfixturevalue("odd")
    assert answers(client) == before


def test_every_setting_of_drf_is_one_that_we_have_thought_of():
    assert set(DEFAULTS) == ODD.keys() | THEIRS | NOT_OURS


def test_moments_are_iso_8601_in_utc(before, client, settings):
    settings.TIME_ZONE = "America/Los_Angeles"
    current = client.get("/api/v1/subscriptions/current").json()
    assert current["current_period_end"].endswith("Z")
    assert "T" in current["current_period_end"]


@pytest.mark.parametrize("day", [Day(), PauseRequest().fields["until"], AgreementAnswer().fields["starts_on"]])
def test_days_are_iso_8601_whatever_the_project_reads_and_writes(day, settings):
    settings.REST_FRAMEWORK = {**settings.REST_FRAMEWORK, **ODD}
    assert day.to_internal_value("2026-12-03") == date(2026, 12, 3)
    assert day.to_representation(date(2026, 12, 3)) == "2026-12-03"
    with pytest.raises(serializers.ValidationError):
        day.to_internal_value("03.12.2026")


def test_no_field_of_ours_takes_its_format_or_its_choices_from_the_project():
    """Every serializer of every room of the API, those of models with the fields that DRF makes of columns."""
    for module in pkgutil.iter_modules(api.__path__):
        import_module(f"{api.__name__}.{module.name}")
    found = [(made, name, field) for made in _serializers() for name, field in made().fields.items()]
    assert len(found) > 100
    assert [
        f"{made.__name__}.{name}"
        for made, name, field in found
        if isinstance(field, OF_THE_PROJECT) and not isinstance(field, Moment | Day | Choice)
    ] == []


def _serializers(parent=serializers.BaseSerializer):
    for made in parent.__subclasses__():
        if made.__module__.startswith("billing.api."):
            yield made
        yield from _serializers(made)


def test_a_body_that_is_no_object_is_refused_with_the_documented_name(client, world, settings):
    client.force_login(world.sign_up())
    settings.REST_FRAMEWORK = {**settings.REST_FRAMEWORK, "NON_FIELD_ERRORS_KEY": "__all__"}
    answer = client.post("/api/v1/subscriptions/checkout", "[]", content_type="application/json").json()
    assert list(answer["fields"]) == ["non_field_errors"]
    assert not answer["detail"].startswith("__all__")


# Caches


def test_answers_about_a_person_are_kept_by_no_cache_and_those_for_all_depend_on_the_language(before, client):
    for address in ("/api/v1/subscriptions/current", "/api/v1/subscriptions/invoices"):
        assert set(client.get(address).headers["Cache-Control"].split(", ")) == {"private", "no-store"}
    client.logout()
    client.cookies.clear()
    plans = client.get("/api/v1/plans")
    assert "Accept-Language" in plans.headers["Vary"]
    assert plans.headers["Cache-Control"] == "private"


def test_the_price_page_depends_on_the_language(client, world):
    assert "Accept-Language" in client.get("/").headers["Vary"]


def test_a_cache_for_the_whole_site_answers_each_language_with_its_own(client, world, settings):
    settings.MIDDLEWARE = [
        "django.middleware.cache.UpdateCacheMiddleware",
        *[name for name in settings.MIDDLEWARE if "LocaleMiddleware" not in name and "private_answers" not in name],
        "django.middleware.cache.FetchFromCacheMiddleware",
    ]
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    for address in ("/api/v1/plans", "/"):
        found = [client.get(address, headers={"Accept-Language": each}).content for each in ("en-US", "de-DE")]
        assert found[0] != found[1], address


# OpenAPI


class ErrorSerializer(serializers.Serializer):
    mistake = serializers.CharField()


class PlanSerializer(serializers.Serializer):
    kind = serializers.ChoiceField(choices=["house", "garden"])
    status = serializers.ChoiceField(choices=["drawn", "built"])
    payment = serializers.ChoiceField(choices=["cash", "none"])


class TheirView(APIView):
    serializer_class = PlanSerializer

    def get(self, request):
        return Response()


class TheirErrors(APIView):
    serializer_class = ErrorSerializer

    def get(self, request):
        return Response()


def test_a_hosts_serializers_of_the_same_names_stay_theirs():
    ours = path("", include("billing.urls"))
    theirs = [path("theirs", TheirView.as_view()), path("their-errors", TheirErrors.as_view())]
    GENERATOR_STATS.reset()
    schema = SchemaGenerator(patterns=[*theirs, ours]).get_schema(request=None, public=True)
    components = schema["components"]["schemas"]
    assert components["Plan"]["properties"].keys() == {"kind", "status", "payment"}
    assert components["Error"]["properties"].keys() == {"mistake"}
    assert {"slug", "prices"} <= components["BillingPlan"]["properties"].keys()
    assert not GENERATOR_STATS._warn_cache
    assert {name for name in components if not name.startswith("Billing")} == {
        "Plan", "Error", "KindEnum", "StatusEnum", "PaymentEnum",
    }  # fmt: skip
