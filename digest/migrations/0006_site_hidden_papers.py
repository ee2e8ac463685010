from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("digest", "0005_delivery_room")]

    operations = [
        migrations.AddIndex(
            model_name="editionpaper",
            index=models.Index(
                condition=models.Q(("is_hidden", True)), fields=["paper"], name="hidden_papers"
            ),
        ),
    ]
