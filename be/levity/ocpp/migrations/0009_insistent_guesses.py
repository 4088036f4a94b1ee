from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("ocpp", "0008_certificate_authority"),
    ]

    operations = [
        migrations.AddField(
            model_name="authfailure",
            name="insistent_forgotten_at",
            field=models.FloatField(db_default=0.0, default=0.0, help_text="POSIX seconds."),
        ),
        migrations.AddField(
            model_name="authfailure",
            name="waiting",
            field=models.TextField(
                blank=True,
                db_default="",
                default="",
                help_text="Keys that were not looked at: a keyed digest, a colon, POSIX seconds.",
            ),
        ),
    ]
