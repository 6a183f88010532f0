"""This table lists the addresses of the second step's pages."""

from django.urls import path

from . import passkeys, views

urlpatterns = [
    path("", views.StepView.as_view(), name="second_step"),
    path("setup/", views.SetupView.as_view(), name="second_step_setup"),
    path("app/", views.AppView.as_view(), name="second_step_app"),
    path("recovery/", views.RecoveryView.as_view(), name="second_step_recovery"),
    path("remove/", views.RemovalView.as_view(), name="second_step_remove"),
    path("passkey/add/begin/", passkeys.BeginRegistration.as_view(), name="passkey_add_begin"),
    path("passkey/add/", passkeys.CompleteRegistration.as_view(), name="passkey_add"),
    path("passkey/begin/", passkeys.BeginAuthentication.as_view(), name="passkey_begin"),
    path("passkey/", passkeys.CompleteAuthentication.as_view(), name="passkey"),
]
