"""The order in which athletes, sessions and movements change (athletes.feed).

Tables alone. The triggers that fill them are made after every `migrate`, with what is
there by then.
"""

from django.db import migrations, models

from athletes.feed import triggers


def remove_triggers(apps, schema_editor):
    triggers.remove(schema_editor.connection)


class Migration(migrations.Migration):

    dependencies = [
        ('athletes', '0028_undone_moves'),
    ]

    operations = [
        migrations.CreateModel(
            name='FeedCounter',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('last', models.BigIntegerField(default=0)),
            ],
            options={
                'db_table': 'feed_counter',
            },
        ),
        migrations.CreateModel(
            name='FeedNote',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('player', 'Athlete'), ('session', 'Session'), ('movement', 'Movement')], max_length=8)),
                ('row_id', models.BigIntegerField()),
                ('parent_id', models.BigIntegerField(null=True)),
                ('gone', models.CharField(choices=[('merged', 'Merged'), ('erased', 'Erased')], max_length=8, null=True)),
                ('spreads', models.PositiveSmallIntegerField(default=0)),
                ('at', models.DateTimeField()),
            ],
            options={
                'db_table': 'feed_notes',
                'indexes': [models.Index(fields=['kind', 'row_id'], name='feed_note_row')],
            },
        ),
        migrations.CreateModel(
            name='FeedRow',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('player', 'Athlete'), ('session', 'Session'), ('movement', 'Movement')], max_length=8)),
                ('row_id', models.BigIntegerField()),
                ('parent_id', models.BigIntegerField(null=True)),
                ('place', models.BigIntegerField()),
                ('changed_at', models.DateTimeField()),
                ('gone', models.CharField(blank=True, choices=[('merged', 'Merged'), ('erased', 'Erased')], max_length=8)),
                ('gone_at', models.DateTimeField(null=True)),
            ],
            options={
                'db_table': 'feed_rows',
                'indexes': [models.Index(fields=['kind', 'place'], name='feed_row_place'), models.Index(fields=['kind', 'parent_id'], name='feed_row_parent')],
                'constraints': [models.UniqueConstraint(fields=('kind', 'row_id'), name='feed_row_once')],
            },
        ),
        migrations.CreateModel(
            name='TeamLeaving',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('team_id', models.BigIntegerField()),
                ('player_id', models.BigIntegerField()),
                ('left_at', models.DateTimeField()),
            ],
            options={
                'db_table': 'team_leavings',
                'indexes': [models.Index(fields=['team_id', 'player_id'], name='team_leaving_team')],
            },
        ),
        migrations.RunPython(migrations.RunPython.noop, remove_triggers),
    ]
