"""The tables as they were before the upgrade of docs/upgrading.md: databases made then count as migrated."""

import django.core.validators
import django.db.models.deletion
import subscriptions.domains
import uuid
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    replaces = [
        ('subscriptions', '0002_account_and_budgets'),
        ('subscriptions', '0003_notice_claims'),
        ('subscriptions', '0004_asks'),
        ('subscriptions', '0005_matching_starter_topics'),
        ('subscriptions', '0006_letter_abstracts'),
        ('subscriptions', '0007_matching_tastes'),
        ('subscriptions', '0008_served_at'),
        ('subscriptions', '0009_quiet_notices'),
        ('subscriptions', '0010_moved_notices'),
        ('subscriptions', '0011_chosen_days'),
        ('subscriptions', '0012_readers_by_domain'),
    ]

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='Ask',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('signup', 'Wants letters'), ('link', 'Wants a fresh link')], max_length=8)),
                ('email', models.CharField(max_length=254)),
                ('wishes', models.JSONField(blank=True, default=dict)),
                ('network', models.CharField(blank=True, help_text='Truncated address (/24 or /48).', max_length=45)),
                ('at', models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name='Budget',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.CharField(help_text='Kind and keyed hash: never an address.', max_length=80, unique=True)),
                ('taken', models.JSONField(default=list, help_text='Unix seconds of each use, oldest first.')),
                ('expires_at', models.DateTimeField(db_index=True)),
            ],
        ),
        migrations.CreateModel(
            name='Filter',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('text', models.CharField(max_length=2000, unique=True)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
            ],
        ),
        migrations.CreateModel(
            name='Suppression',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('address_hmac', models.CharField(max_length=64, unique=True)),
                ('reason', models.CharField(choices=[('hard_bounce', 'The address does not exist'), ('complaint', 'Reported as spam'), ('request', 'Asked never to be written to'), ('curator', 'Set by a curator'), ('erased', 'Erased; a signup of their own lifts it')], max_length=12)),
                ('detail', models.CharField(blank=True, max_length=300)),
                ('since', models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name='Subscriber',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uuid', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ('email', models.CharField(blank=True, help_text='As the reader typed it; empty once erased.', max_length=254)),
                ('email_key', models.CharField(help_text='Canonical form: who is the same person.', max_length=254, unique=True)),
                ('state', models.CharField(choices=[('pending', 'Waiting for confirmation'), ('active', 'Active'), ('paused', 'Paused'), ('unsubscribed', 'Unsubscribed'), ('suppressed', 'Suppressed'), ('forgotten', 'Erased')], default='pending', max_length=12)),
                ('frequency', models.CharField(choices=[('daily', 'Every day'), ('weekdays', 'Monday to Friday'), ('weekly', 'Once a week'), ('chosen', 'On the days I choose')], default='daily', max_length=8)),
                ('hour', models.PositiveSmallIntegerField(default=7, validators=[django.core.validators.MaxValueValidator(23)])),
                ('weekday', models.PositiveSmallIntegerField(default=0, help_text='0 is Monday.', validators=[django.core.validators.MaxValueValidator(6)])),
                ('days', models.SmallIntegerField(db_default=0, default=0, help_text='The days chosen, added up: Monday 1, Tuesday 2, Wednesday 4 and so on to Sunday 64.', validators=[django.core.validators.MinValueValidator(0), django.core.validators.MaxValueValidator(127)])),
                ('zone', models.CharField(default='UTC', help_text='IANA name, such as Europe/Berlin.', max_length=64)),
                ('papers_per_day', models.PositiveSmallIntegerField(default=10, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(50)])),
                ('text_only', models.BooleanField(default=False)),
                ('abstracts', models.CharField(choices=[('full', 'The whole abstract'), ('short', 'The first sentences'), ('compact', 'No abstract')], default='short', max_length=8)),
                ('empty_day', models.CharField(choices=[('nothing', 'Send nothing'), ('line', 'Send one line with the reason')], default='nothing', max_length=8)),
                ('community_picks', models.BooleanField(default=True)),
                ('exploration', models.BooleanField(default=True, help_text='One paper from just outside what they follow.')),
                ('likes_weight', models.FloatField(default=1.0, help_text='How much the papers they like count; 0 is not at all.')),
                ('catch_up', models.BooleanField(default=True, help_text='After a pause: bring the best of what passed.')),
                ('new_email', models.CharField(blank=True, help_text='Asked for, not yet confirmed.', max_length=254)),
                ('link_round', models.PositiveIntegerField(default=0, help_text='Raised to make old preferences links void.')),
                ('account_round', models.PositiveIntegerField(default=0, help_text='Raised when a fresh link is used: once only.')),
                ('next_digest_at', models.DateTimeField(blank=True, null=True)),
                ('cursor', models.PositiveBigIntegerField(default=0, help_text='Serial of the last edition covered.')),
                ('served_at', models.DateTimeField(blank=True, help_text='The last due moment that was dealt with.', null=True)),
                ('paused_until', models.DateTimeField(blank=True, null=True)),
                ('created_at', models.DateTimeField()),
                ('confirmed_at', models.DateTimeField(blank=True, null=True)),
                ('ended_at', models.DateTimeField(blank=True, null=True)),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('state__in', ['active', 'paused'])), fields=['next_digest_at', 'id'], name='subscriber_due'), models.Index(fields=['state'], name='subscriber_state'), models.Index(subscriptions.domains.Domain('email_key'), models.F('id'), name='subscriber_domain')],
            },
        ),
        migrations.CreateModel(
            name='Description',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('text', models.TextField()),
                ('weight', models.FloatField(default=1.0)),
                ('created_at', models.DateTimeField()),
                ('subscriber', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='descriptions', to='subscriptions.subscriber')),
            ],
            options={
                'ordering': ('id',),
            },
        ),
        migrations.CreateModel(
            name='Consent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('act', models.CharField(help_text='asked, confirmed, changed, left, returned, erased', max_length=20)),
                ('at', models.DateTimeField()),
                ('wording', models.CharField(help_text='Version of the text that was shown.', max_length=40)),
                ('network', models.CharField(blank=True, help_text='Truncated address (/24 or /48).', max_length=45)),
                ('subscriber', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='consents', to='subscriptions.subscriber')),
            ],
        ),
        migrations.CreateModel(
            name='Topic',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('slug', models.SlugField(max_length=60, unique=True)),
                ('name', models.CharField(max_length=80)),
                ('group', models.CharField(db_index=True, max_length=60)),
                ('description', models.CharField(blank=True, max_length=200)),
                ('query', models.CharField(help_text='In the filter language, as written.', max_length=500)),
                ('position', models.PositiveIntegerField(default=0)),
                ('is_active', models.BooleanField(default=True)),
                ('is_starter', models.BooleanField(default=False, help_text='Kept in step with subscriptions/topics.toml.')),
                ('filter', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='topics', to='subscriptions.filter')),
            ],
            options={
                'ordering': ('position', 'name'),
            },
        ),
        migrations.CreateModel(
            name='Notice',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uuid', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ('kind', models.CharField(choices=[('confirm', 'Please confirm'), ('link', 'Here is your link'), ('address', 'Please confirm your new address'), ('moved', 'Your letters go to another address now'), ('goodbye', 'You have left'), ('quiet', 'Nothing today, and why')], max_length=12)),
                ('dedupe_key', models.CharField(max_length=120, unique=True)),
                ('words', models.CharField(blank=True, help_text='A sentence the letter says (kind quiet).', max_length=300)),
                ('to', models.CharField(blank=True, help_text='The address left behind (kind moved), until settled.', max_length=254)),
                ('state', models.CharField(choices=[('pending', 'Waiting'), ('claimed', 'Being sent'), ('accepted', 'Accepted by the provider'), ('rejected', 'Refused by the provider'), ('uncertain', 'Perhaps sent'), ('dead', 'Given up')], default='pending', max_length=12)),
                ('tries', models.PositiveSmallIntegerField(default=0)),
                ('next_at', models.DateTimeField()),
                ('claim', models.UUIDField(blank=True, help_text='Whose turn it is: settling needs the same one.', null=True)),
                ('lease_until', models.DateTimeField(blank=True, null=True)),
                ('repeats', models.PositiveSmallIntegerField(default=0, help_text='How often it was sent again on a doubt.')),
                ('created_at', models.DateTimeField()),
                ('settled_at', models.DateTimeField(blank=True, null=True)),
                ('trouble', models.CharField(blank=True, max_length=300)),
                ('subscriber', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='notices', to='subscriptions.subscriber')),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('state__in', ['pending', 'claimed'])), fields=['next_at', 'id'], name='notice_waiting')],
            },
        ),
        migrations.CreateModel(
            name='LikedPaper',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('identifier', models.CharField(max_length=300)),
                ('title', models.CharField(blank=True, max_length=1000)),
                ('abstract', models.TextField(blank=True)),
                ('authors', models.JSONField(default=list)),
                ('is_liked', models.BooleanField(default=True)),
                ('origin', models.CharField(choices=[('list', 'A list of ids or links'), ('bibtex', 'A BibTeX file'), ('ris', 'A RIS file'), ('site', 'This site')], max_length=6)),
                ('at', models.DateTimeField()),
                ('subscriber', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='liked_papers', to='subscriptions.subscriber')),
            ],
            options={
                'ordering': ('id',),
                'constraints': [models.UniqueConstraint(fields=('subscriber', 'identifier'), name='paper_liked_once')],
            },
        ),
        migrations.CreateModel(
            name='Interest',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('topic', 'Topic'), ('filter', 'Filter'), ('author', 'Author'), ('category', 'Category')], max_length=12)),
                ('text', models.CharField(blank=True, help_text='As the reader typed it.', max_length=500)),
                ('weight', models.FloatField(default=1.0)),
                ('muted', models.BooleanField(default=False)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('filter', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='interests', to='subscriptions.filter')),
                ('subscriber', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='interests', to='subscriptions.subscriber')),
                ('topic', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='interests', to='subscriptions.topic')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('subscriber', 'filter'), name='interest_once')],
            },
        ),
    ]
