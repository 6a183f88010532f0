from django.contrib.auth import views as auth_views
from django.urls import include, path, reverse_lazy
from django.views.generic import TemplateView

from . import api, views

app_name = "accounts"

urlpatterns = [
    path("api/v1/accounts/register", api.Register.as_view(), name="api_register"),
    path("api/v1/accounts/token", api.ObtainToken.as_view(), name="api_token"),
    path("api/v1/accounts/me", api.Me.as_view(), name="api_me"),
    path("accounts/signup/", views.SignUpView.as_view(), name="signup"),
    path("accounts/login/", views.LoginView.as_view(), name="login"),
    path("accounts/logout/", auth_views.LogoutView.as_view(), name="logout"),
    path("accounts/second-step/", include("accounts.second_step.urls")),
    path("accounts/language/", views.LanguageView.as_view(), name="language"),
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
        auth_views.PasswordResetConfirmView.as_view(
            template_name="accounts/password_reset_confirm.html",
            success_url=reverse_lazy("accounts:password_reset_complete"),
        ),
        name="password_reset_confirm",
    ),
    path(
        "accounts/password-reset/done/",
        auth_views.PasswordResetCompleteView.as_view(template_name="accounts/password_reset_done.html"),
        name="password_reset_complete",
    ),
]
