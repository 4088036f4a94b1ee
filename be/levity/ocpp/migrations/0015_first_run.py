from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("ocpp", "0014_implausible_sessions"),
    ]

    operations = [
        migrations.AddField(
            model_name="installation",
            name="first_run_at",
            field=models.DateTimeField(
                blank=True, help_text="When the first steps were ended.", null=True
            ),
        ),
        migrations.AddField(
            model_name="installation",
            name="mail_server",
            field=models.TextField(
                blank=True,
                db_default="",
                default="",
                help_text="Its URL, sealed. EMAIL_URL counts before it.",
            ),
        ),
        migrations.AddField(
            model_name="installation",
            name="mail_from",
            field=models.CharField(blank=True, db_default="", default="", max_length=254),
        ),
    ]
