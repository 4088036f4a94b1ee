import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from levity.db.together import together


class Migration(migrations.Migration):
    # What a database from before the first release has applied (levity.run.applied_migrations).
    replaces = [("accounts", "0002_phone"), ("accounts", "0003_wording")]

    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("ocpp", "0001_initial"),
        ("otp_totp", "0003_add_timestamps"),
    ]

    operations = together(
        migrations.CreateModel(
            name="Account",
            fields=[
                (
                    "user",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="account",
                        serialize=False,
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "limited",
                    models.BooleanField(
                        default=False,
                        help_text="Limits this person to the charge points of these sites and what belongs to them. If no site is selected, the person sees none. Superusers see everything.",
                        verbose_name="only the sites below",
                    ),
                ),
                ("sites", models.ManyToManyField(blank=True, related_name="+", to="ocpp.site")),
            ],
            options={
                "verbose_name": "access",
                "verbose_name_plural": "access",
            },
        ),
        migrations.CreateModel(
            name="Phone",
            fields=[],
            options={
                "default_permissions": (),
                "proxy": True,
            },
            bases=("otp_totp.totpdevice",),
        ),
    )
