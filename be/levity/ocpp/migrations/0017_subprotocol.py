from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("ocpp", "0016_installation"),
    ]

    operations = [
        migrations.AddField(
            model_name="chargepoint",
            name="subprotocol",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                editable=False,
                help_text="What is spoken on that websocket, or was on the last one; empty: "
                "OCPP 1.6.",
                max_length=64,
            ),
        ),
    ]
