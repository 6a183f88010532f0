"""This module adds the baseline to the project's URLs, a view as a team would first write it: it verifies and makes one
durable INSERT."""

import json

import stripe
from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import include, path
from django.views.decorators.csrf import csrf_exempt

INSERT = "INSERT INTO bare_events (id, payload) VALUES (%s, %s) ON CONFLICT (id) DO NOTHING"


@csrf_exempt
def bare_webhook(request: HttpRequest) -> HttpResponse:
    body = request.body.decode()
    try:
        stripe.WebhookSignature.verify_header(
            body, request.headers.get("Stripe-Signature", ""), settings.STRIPE_WEBHOOK_SECRETS[0], 300
        )
    except stripe.SignatureVerificationError:
        return HttpResponse(status=400)
    with connection.cursor() as cursor:
        cursor.execute(INSERT, [json.loads(body)["id"], body])
    return JsonResponse({"status": "received"})


urlpatterns = [path("bare/webhook", bare_webhook), path("", include("config.urls"))]
