"""This table lists the addresses of the pages of accounts."""

from django.contrib.auth import views as auth_views
from django.urls import include, path
from django.views.generic import TemplateView

from . import (
    api,
    confirmation_api,
    confirmation_views,
    email_views,
    login_views,
    own_data,
    token_api,
    token_views,
    views,
)

app_name = "accounts"

urlpatterns = [
    path("api/v1/accounts/register", api.Register.as_view(), name="api_register"),
    path("api/v1/accounts/token", token_api.Token.as_view(), name="api_token"),
    path("api/v1/accounts/tokens", token_api.Tokens.as_view(), name="api_tokens"),
    path("api/v1/accounts/tokens/<uuid:pk>", token_api.OneToken.as_view(), name="api_one_token"),
    path("api/v1/accounts/confirmation", confirmation_api.Confirmation.as_view(), name="api_confirmation"),
    path("api/v1/accounts/me", api.Me.as_view(), name="api_me"),
    path("accounts/", email_views.SettingsView.as_view(), name="settings"),
    path("accounts/signup/", views.SignUpView.as_view(), name="signup"),
    path("accounts/login/", views.LoginView.as_view(), name="login"),
    path("accounts/logout/", auth_views.LogoutView.as_view(), name="logout"),
    path("accounts/second-step/", include("accounts.second_step.urls")),
    path("accounts/language/", views.LanguageView.as_view(), name="language"),
    path("accounts/email/", email_views.EmailView.as_view(), name="email"),
    path("accounts/email/<str:token>/", email_views.EmailConfirmView.as_view(), name="email_confirm"),
    path("accounts/password/", email_views.PasswordView.as_view(), name="password"),
    path("accounts/sessions/", login_views.SessionsView.as_view(), name="sessions"),
    path("accounts/sessions/<uuid:pk>/end/", login_views.EndSessionView.as_view(), name="end_session"),
    path("accounts/data/", own_data.DataView.as_view(), name="data"),
    path("accounts/confirm/", confirmation_views.ConfirmationView.as_view(), name="confirmation"),
    path("accounts/confirm/<uidb64>/<token>/", confirmation_views.ConfirmView.as_view(), name="confirm"),
    path("accounts/tokens/", token_views.TokensView.as_view(), name="tokens"),
    path("accounts/tokens/<uuid:pk>/revoke/", token_views.RevokeTokenView.as_view(), name="revoke_token"),
    path("accounts/delete/", views.DeletionView.as_view(), name="delete"),
    path("accounts/deleted/", TemplateView.as_view(template_name="accounts/deleted.html"), name="deleted"),
    path("accounts/password-reset/", views.PasswordResetView.as_view(), name="password_reset"),
    path(
        "accounts/password-reset/sent/",
        auth_views.PasswordResetDoneView.as_view(template_name="accounts/password_reset_sent.html"),
        name="password_reset_done",
    ),
    path(
        "accounts/password-reset/<uidb64>/<token>/",
        confirmation_views.PasswordResetConfirmView.as_view(),
        name="password_reset_confirm",
    ),
    path(
        "accounts/password-reset/done/",
        auth_views.PasswordResetCompleteView.as_view(template_name="accounts/password_reset_done.html"),
        name="password_reset_complete",
    ),
]
