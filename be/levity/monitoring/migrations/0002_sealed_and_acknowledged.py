from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("operation", "0001_alerts"),
    ]

    operations = [
        migrations.AddField(
            model_name="alert",
            name="acknowledged_at",
            field=models.DateTimeField(
                blank=True, help_text="When somebody said that he looks after it.", null=True
            ),
        ),
        migrations.AddField(
            model_name="alert",
            name="acknowledged_by",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                help_text="Who; as he was called.",
                max_length=150,
            ),
        ),
        migrations.AddField(
            model_name="alertrule",
            name="sealed_secret",
            field=models.TextField(
                blank=True,
                db_default="",
                default="",
                editable=False,
                help_text="The same, encrypted.",
            ),
        ),
    ]
