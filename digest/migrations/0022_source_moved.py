from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('digest', '0021_one_limiter'),
    ]

    operations = [
        migrations.AddField(
            model_name='source',
            name='moved_to',
            field=models.CharField(blank=True, help_text='Where its publisher says it is now.', max_length=500),
        ),
        migrations.AddField(
            model_name='source',
            name='moved_since',
            field=models.DateTimeField(
                blank=True, help_text='When it was first redirected there for good (301, 308).', null=True
            ),
        ),
    ]
