from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("ocpp", "0014_lives"),
    ]

    operations = [
        migrations.AddField(
            model_name="chargepoint",
            name="retired_at",
            field=models.DateTimeField(
                blank=True,
                editable=False,
                help_text="Gone for good since then; empty: in use.",
                null=True,
            ),
        ),
    ]
