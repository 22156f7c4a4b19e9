"""The number of athletes, kept by the database itself.

Whatever brings an athlete in or takes one away is counted: bulk inserts, cascades,
statements by hand. SQLite counts fast enough and gets the empty table alone.
"""

from django.db import migrations, models

UP = """
-- Nobody comes or goes between the first count and the triggers.
LOCK TABLE players IN SHARE ROW EXCLUSIVE MODE;

CREATE FUNCTION player_counts_add(change bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    part bigint;
BEGIN
    IF change = 0 THEN
        RETURN;
    END IF;
    INSERT INTO player_counts (n) VALUES (change) RETURNING id INTO part;
    -- Now and then all parts become one. Those that others hold are left for the next.
    IF part % 64 = 0 THEN
        WITH gone AS (
            DELETE FROM player_counts
            WHERE id IN (SELECT id FROM player_counts FOR UPDATE SKIP LOCKED)
            RETURNING n
        )
        INSERT INTO player_counts (n) SELECT SUM(n) FROM gone;
    END IF;
END
$$;

CREATE FUNCTION player_counts_on_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM player_counts_add(
        (SELECT COUNT(*) FROM changed WHERE merged_into_id IS NULL)
    );
    RETURN NULL;
END
$$;

CREATE FUNCTION player_counts_on_delete() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM player_counts_add(
        -(SELECT COUNT(*) FROM changed WHERE merged_into_id IS NULL)
    );
    RETURN NULL;
END
$$;

CREATE FUNCTION player_counts_on_merge() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM player_counts_add(CASE WHEN NEW.merged_into_id IS NULL THEN 1 ELSE -1 END);
    RETURN NULL;
END
$$;

CREATE FUNCTION player_counts_on_truncate() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM player_counts;
    RETURN NULL;
END
$$;

CREATE TRIGGER player_counts_insert AFTER INSERT ON players
    REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION player_counts_on_insert();
CREATE TRIGGER player_counts_delete AFTER DELETE ON players
    REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION player_counts_on_delete();
CREATE TRIGGER player_counts_merge AFTER UPDATE OF merged_into_id ON players
    FOR EACH ROW
    WHEN ((OLD.merged_into_id IS NULL) <> (NEW.merged_into_id IS NULL))
    EXECUTE FUNCTION player_counts_on_merge();
CREATE TRIGGER player_counts_truncate AFTER TRUNCATE ON players
    FOR EACH STATEMENT EXECUTE FUNCTION player_counts_on_truncate();

INSERT INTO player_counts (n)
    SELECT COUNT(*) FROM players WHERE merged_into_id IS NULL HAVING COUNT(*) > 0;
"""

DOWN = """
DROP TRIGGER player_counts_insert ON players;
DROP TRIGGER player_counts_delete ON players;
DROP TRIGGER player_counts_merge ON players;
DROP TRIGGER player_counts_truncate ON players;
DROP FUNCTION player_counts_on_insert();
DROP FUNCTION player_counts_on_delete();
DROP FUNCTION player_counts_on_merge();
DROP FUNCTION player_counts_on_truncate();
DROP FUNCTION player_counts_add(bigint);
"""


def up(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(UP, params=None)


def down(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(DOWN, params=None)


class Migration(migrations.Migration):
    dependencies = [("athletes", "0013_fill_athletes_beside_each_other")]

    operations = [
        migrations.CreateModel(
            name="PlayerCount",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                ("n", models.IntegerField()),
            ],
            options={"db_table": "player_counts"},
        ),
        migrations.RunPython(up, down),
    ]
