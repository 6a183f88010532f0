"""A subscriber downloads what is stored of them."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from billing.access import payer
from billing.lifecycle import own_data

from . import trouble
from .signed_in import signed_in


@never_cache
@signed_in
@require_safe
def download(request: HttpRequest) -> HttpResponse:
    """Answer /billing/data with a file in JSON. Members who may not manage the subscription get none."""
    try:
        subscriber = payer.managed_payer(request)
    except (payer.NobodyPays, payer.MayNotManage) as refusal:
        return trouble.not_yours(request, refusal)
    answer = JsonResponse(own_data.own_data(subscriber), json_dumps_params={"indent": 2})
    answer["Content-Disposition"] = 'attachment; filename="my-data.json"'
    return answer
