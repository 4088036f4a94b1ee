from typing import Any

from django.db import migrations

BEFORE, AFTER = "open-door", "open-onboarding"


def rename(apps: Any, schema_editor: Any) -> None:
    """The kind of alert has another name, also where rules select it."""
    apps.get_model("operation", "Alert").objects.filter(kind=BEFORE).update(kind=AFTER)
    for rule in apps.get_model("operation", "AlertRule").objects.all():
        if BEFORE in rule.kinds:
            rule.kinds = [AFTER if kind == BEFORE else kind for kind in rule.kinds]
            rule.save(update_fields=["kinds"])


class Migration(migrations.Migration):
    dependencies = [("operation", "0001_initial")]

    operations = [migrations.RunPython(rename, migrations.RunPython.noop)]
