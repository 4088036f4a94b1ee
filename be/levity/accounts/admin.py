"""Users, groups, and who tried to log in."""

from typing import Any

from axes.models import AccessAttempt, AccessLog
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group, Permission, User
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice
from unfold.admin import StackedInline
from unfold.decorators import action, display
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from levity.accounts import second_step, users
from levity.accounts.models import Account
from levity.ocpp.audit import note
from levity.ocpp.deciding import decide_all
from levity.ocpp.visibility import is_limited
from levity.pages.kit.base import LevityAdmin, ReadOnlyAdmin
from levity.pages.kit.formats import and_more, badge, excerpt, shown_time
from levity.pages.kit.live_admin import LiveAdmin
from levity.pages.kit.lookups import OnlyDeclaredLookups

__all__ = ["AccessAttemptAdmin", "AccessLogAdmin", "GroupAdmin", "UserAdmin"]

# django-otp's own pages show the keys themselves, which only the user may see.
for model in (TOTPDevice, StaticDevice, User, Group):
    if admin.site.is_registered(model):
        admin.site.unregister(model)


class AccountInline(StackedInline):
    """The sites to which this user is limited."""

    model = Account
    fields = ("limited", "sites")
    autocomplete_fields = ("sites",)
    can_delete = False
    verbose_name = "Which sites"
    verbose_name_plural = "Which sites"


@admin.register(User)
class UserAdmin(OnlyDeclaredLookups, DjangoUserAdmin, LiveAdmin):  # type: ignore[misc]  # stubs
    """Django's own page. Only a superuser can give more rights than they have."""

    by_decisions = True
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    inlines = (AccountInline,)
    list_display = ("username", "full_name", "roles", "active", "two_steps", "last_seen")
    list_filter = ("is_active", "is_staff", "groups")
    list_filter_submit = True
    actions = ("end_second_step",)
    filter_horizontal = ()
    # No individual permissions: a user may do what their roles may do.
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        ("Person", {"fields": ("first_name", "last_name", "email")}),
        ("Rights", {"fields": ("is_active", "is_staff", "groups", "is_superuser")}),
        ("Dates", {"fields": ("last_login", "date_joined")}),
    )
    add_fieldsets = (
        (
            None,
            {
                "fields": ("username", "usable_password", "password1", "password2"),
                "description": (
                    "Choose roles, and whether this person may use these pages (“staff status”), "
                    "on the next page."
                ),
            },
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        """With the groups and second steps of all users, in two queries."""
        devices = TOTPDevice.objects.filter(user=OuterRef("pk"), confirmed=True)
        rows = super().get_queryset(request).prefetch_related("groups")
        return rows.annotate(has_second_step=Exists(devices))

    def get_inlines(self, request: HttpRequest, obj: Any) -> Any:
        """A user that is being added has no account yet."""
        return super().get_inlines(request, obj) if obj else ()

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Only a superuser may give rights that exceed the giver's own."""
        fixed = (*super().get_readonly_fields(request, obj), "last_login", "date_joined")
        user: Any = request.user
        return fixed if user.is_superuser else (*fixed, "is_superuser")

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Only groups without permissions that this user lacks."""
        user: Any = request.user
        if db_field.name != "groups":
            return super().formfield_for_manytomany(db_field, request, **kwargs)
        if not user.is_superuser:
            own = user.get_all_permissions()
            kwargs["queryset"] = Group.objects.filter(pk__in=_groups_within(own))
        kwargs["widget"] = UnfoldAdminCheckboxSelectMultipleWidget
        field: Any = super().formfield_for_manytomany(db_field, request, **kwargs)
        field.label = "Roles"
        field.help_text = "The documentation lists what each role may do (Operating, Logins)."
        return field

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Not for users of some sites only: it shows names and addresses of all others."""
        return super().has_view_permission(request, obj) and not is_limited(request.user)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """As above."""
        return super().has_add_permission(request) and not is_limited(request.user)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Only a superuser may change a superuser, or a user with more rights than their own."""
        allowed = super().has_change_permission(request, obj) and not is_limited(request.user)
        return allowed and _is_within_reach(request.user, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """As above; and users can't delete themselves."""
        allowed = super().has_delete_permission(request, obj) and not is_limited(request.user)
        return allowed and _is_within_reach(request.user, obj) and obj != request.user

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """As the API does it."""
        given = form.cleaned_data
        if not change:
            is_usable = given.get("usable_password", "true") == "true"
            password = given["password1"] if is_usable else None
            users.add_user(obj, (), request.user, password=password, staff=False)
            return
        changed = {name: given[name] for name in form.changed_data if name in users.AUDITED}
        roles = given["groups"] if "groups" in form.changed_data else None
        users.change_user(obj, changed, request.user, roles=roles)

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        """The sites to which they are limited."""
        formset.save(commit=False)
        for each in formset.forms:
            if each.has_changed():
                given = each.cleaned_data
                sites = given["sites"] if given["limited"] else None
                users.limit_user(form.instance, sites, request.user)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        """One, from its page."""
        users.delete_user(obj, request.user)

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """A new password, which Django's own page sets; the decisions note everything else."""
        match = request.resolver_match
        if match is not None and "password" in (match.url_name or ""):
            note(request.user, [obj], "password set")

    @display(description="name", ordering="last_name")
    def full_name(self, user: User) -> str:
        """The user's full name."""
        return user.get_full_name()

    @display(description="roles")
    def roles(self, user: User) -> str:
        """The groups, or “everything” for a superuser."""
        names = [group.name for group in user.groups.all()]
        return ", ".join(["superuser", *names] if user.is_superuser else names)

    @display(description="state")
    def active(self, user: User) -> str:
        """Whether the user may log in here."""
        if not user.is_active:
            return badge("switched off", "bad")
        return badge("active", "good") if user.is_staff else badge("no access here", "warn")

    @display(description="two-factor")
    def two_steps(self, user: Any) -> str:
        """Whether the password alone is enough."""
        if user.has_second_step:
            return badge("on", "good")
        return badge("missing", "bad") if settings.LEVITY_REQUIRE_TWO_FACTOR else badge("off", "")

    @display(description="last login", ordering="last_login")
    def last_seen(self, user: User) -> str:
        """When the user last entered the password."""
        return shown_time(user.last_login) if user.last_login else "never"

    @action(description="Switch two-factor login off (phone lost)", permissions=["change"])
    def end_second_step(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """Let these log in with the password alone again."""
        done = []
        for user in queryset:
            if self.has_change_permission(request, user) and second_step.switch_off(user):
                done.append(user)
        note(request.user, done, "two-factor login switched off")
        if done:
            names = ", ".join(user.get_username() for user in done[:20])
            more = and_more(len(done) - 20)
            messages.success(request, f"Two-factor login is off for {names}{more}.")
        else:
            messages.warning(
                request, "Nothing changed: it was off already, or these are superusers."
            )


@admin.register(Group)
class GroupAdmin(OnlyDeclaredLookups, DjangoGroupAdmin, LiveAdmin):  # type: ignore[misc]  # stubs
    """The roles. Only superusers may change the permissions of a role, because that allows
    everything."""

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Users who manage other users."""
        return super().has_view_permission(request, obj) and not is_limited(request.user)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Superusers."""
        return bool(request.user.is_superuser)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Superusers."""
        return bool(request.user.is_superuser)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Superusers."""
        return bool(request.user.is_superuser)


@admin.register(AccessAttempt)
class AccessAttemptAdmin(LevityAdmin):
    """Recent wrong passwords. Deleting one unlocks."""

    list_display = ("tried", "username", "ip_address", "failures_since_start", "agent")
    list_filter_submit = False
    search_fields = ("username", "ip_address")
    search_help_text = "User name or address"
    ordering = ("-attempt_time",)
    actions = ("unlock",)
    fields = ("tried", "username", "ip_address", "failures_since_start", "user_agent")
    readonly_fields = fields

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Nobody."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody."""
        return False

    @display(description="last try", ordering="attempt_time")
    def tried(self, item: AccessAttempt) -> str:
        """When the last wrong password was entered."""
        return shown_time(item.attempt_time)

    @display(description="browser")
    def agent(self, item: AccessAttempt) -> str:
        """What the program calls itself."""
        return excerpt(item.user_agent, 60)

    @action(description="Unlock: clear these failures", permissions=["delete"])
    def unlock(self, request: HttpRequest, queryset: QuerySet[AccessAttempt]) -> None:
        """Let these users try again at once."""
        count = decide_all(queryset, request.user, "unlocked", lambda rows: rows.delete())
        messages.success(request, f"Unlocked: {count:,}.")


@admin.register(AccessLog)
class AccessLogAdmin(ReadOnlyAdmin):
    """Who logged in, when, and from where."""

    list_display = ("came", "username", "ip_address", "left", "agent")
    sortable_by = ()
    search_fields = ("username", "ip_address")
    search_help_text = "User name or address"
    ordering = ("-id",)
    fields = ("came", "username", "ip_address", "left", "user_agent")
    readonly_fields = fields

    @display(description="login")
    def came(self, item: AccessLog) -> str:
        """When the password was right."""
        return shown_time(item.attempt_time)

    @display(description="logout")
    def left(self, item: AccessLog) -> str:
        """When they logged out; closing the window is no logout."""
        return shown_time(item.logout_time)

    @display(description="browser")
    def agent(self, item: AccessLog) -> str:
        """What the program calls itself."""
        return excerpt(item.user_agent, 60)


def _groups_within(own: set[str]) -> list[int]:
    """The groups none of whose permissions goes beyond these."""
    beyond = {
        group
        for group, app, name in Permission.objects.filter(group__isnull=False).values_list(
            "group", "content_type__app_label", "codename"
        )
        if f"{app}.{name}" not in own
    }
    return list(Group.objects.exclude(pk__in=beyond).values_list("pk", flat=True))


def _is_within_reach(user: Any, other: Any) -> bool:
    """Whether `other` has no permission that this user lacks."""
    if other is None or user.is_superuser:
        return True
    if other.is_superuser:
        return False
    # Also of one that is switched off, who could be switched on again.
    return users.permissions_of(other) <= user.get_all_permissions()
